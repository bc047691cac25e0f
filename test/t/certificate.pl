# The paper result says what a counter and a verifier need and nothing of the person, and a scanner
# reads its code back from the rendered page.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use IPC::Run qw(run);
use Test::More;

foreach my $tool (qw(zbarimg rsvg-convert))
{
	run([ $tool, '--version' ], '>', \my $out, '2>', \my $err)
	  or plan(skip_all => "$tool is not installed");
}

my $db = Epermit->start('certificate');
my $dir = $db->node->basedir;

my $online = $db->link_documents('hong_kong');
my $counter = $db->sql('SELECT (epermit.link_documents('
	  . Epermit::linkage_application('taiwan', attestation => undef, channel => 'counter',
		office => '福州市公安局出入境接待大廳 <A&B> "1"', officer => '061234')
	  . ')).credential_no');

sub certificate
{
	my ($no) = @_;
	return $db->as('epermit_officer', "SELECT epermit.linkage_certificate_svg('$no')");
}

# Render the page as a printer would, and read the code on it.
sub scan_page
{
	my ($svg) = @_;
	my ($file, $png) = ("$dir/page.svg", "$dir/page.png");
	open(my $out, '>', $file) or die $!;
	print $out $svg;
	close $out;
	run([ 'rsvg-convert', '--dpi-x', '150', '--dpi-y', '150', '--output', $png, $file ]) or return 'cannot be rendered';
	run([ 'zbarimg', '--nodbus', '--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', $png ], '>', \my $text, '2>', \my $noise);
	chomp $text;
	return $text;
}

foreach my $case ([ 'online', $online, 'hong_kong' ], [ 'at a counter', $counter, 'taiwan' ])
{
	my ($name, $no, $person) = @$case;
	my $p = $Epermit::people{$person};
	my $svg = certificate($no);

	is(scan_page($svg), $db->token($no), "$name: a scanner reads the token off the page");
	like($svg, qr/width="210mm" height="297mm"/, "$name: one A4 page");
	like($svg, qr/\Q$no\E/, "$name: the printed number");
	foreach my $masked (qw(travel_permit_no residence_permit_no))
	{
		my $shown = $db->sql("SELECT epermit.masked('$p->{$masked}'::epermit.$masked)");
		like($svg, qr/\Q$shown\E/, "$name: $masked, masked");
	}
	foreach my $private (qw(travel_permit_no residence_permit_no name_zh name_romanised birth_date))
	{
		unlike($svg, qr/\Q$p->{$private}\E/, "$name: no $private");
	}

	# Both ends in Beijing time, whatever the session's time zone.
	my $ends = $db->sql(
		qq{SELECT to_char(i AT TIME ZONE interval '8 hours', 'YYYY"年"FMMM"月"FMDD"日 "HH24:MI:SS')
		     FROM epermit.linkage, unnest(ARRAY[issued_at, valid_until]) AS i WHERE credential_no::text = '$no'});
	foreach my $end (split /\n/, $ends)
	{
		like($svg, qr/\Q$end\E/, "$name: $end");
	}
	is($db->sql("SET TimeZone = 'America/New_York'; SELECT epermit.linkage_certificate_svg('$no')"), $svg,
		"$name: the same in New York");
}

# What an officer typed is text, not markup.
my $page = certificate($counter);
like($page, qr/&lt;A&amp;B&gt;/, 'the office is escaped');
unlike($page, qr/<A&B>/, 'and nowhere raw');

is($db->try("SELECT epermit.linkage_certificate_svg('" . $db->issue('macao') . "')"), '22023', 'a permit has no such page');
is( $db->try('BEGIN; SELECT epermit.linkage_certificate_svg((epermit.link_documents('
		  . Epermit::linkage_application('macao') . ')).credential_no)'),
	'TP008', 'nor what is not committed');

done_testing();
