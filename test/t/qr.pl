# What qr_text, qr_svg and qr_png draw is read back exactly by a scanner nobody here wrote.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

foreach my $tool (qw(zbarimg rsvg-convert))
{
	run([ $tool, '--version' ], '>', \my $out, '2>', \my $err)
	  or plan(skip_all => "$tool is not installed");
}

my $node = PostgreSQL::Test::Cluster->new('qr');
$node->init(extra => [ '--encoding', 'UTF8', '--locale', 'C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION epermit');

my $dir = $node->basedir;

# Letters, digits and signs in an order that does not repeat.
sub base45ish
{
	my ($len) = @_;
	my @alphabet = split //, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
	my ($text, $state) = ('', $len);
	while (length($text) < $len)
	{
		$state = ($state * 1103515245 + 12345) % 2147483648;
		$text .= $alphabet[ ($state >> 16) % 45 ];
	}
	return $text;
}

my %text = (
	'one character'               => 'A',
	'a number'                    => 'T-8F3K2-M9QX7-RDW5Z-N4C0H',
	'a permit, 411 characters'    => base45ish(411),
	'1,000 characters'            => base45ish(1000),
	'3,391 characters, level M'   => base45ish(3391),
	'4,296 characters, level L'   => base45ish(4296),
	'a link and a token'          => 'https://epermit.invalid/v#' . base45ish(411),
	'Chinese, beyond the BMP too' => '雙證關聯核驗結果𠮷',
	'an awkward string'           => q{<&>"'\\ %s %n $1 ; -- },
);

sub query
{
	my ($function, $text, $rest) = @_;
	return $node->safe_psql('postgres',
		encode_utf8("SELECT epermit.$function(\$qr\$$text\$qr\$::text$rest)"));
}

sub spew
{
	my ($name, $bytes) = @_;
	my $path = "$dir/$name";
	open(my $file, '>:raw', $path) or die "$path: $!";
	print $file $bytes;
	close($file) or die "$path: $!";
	return $path;
}

sub scan
{
	my ($path) = @_;
	my @command = ('zbarimg', '--nodbus', '--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', $path);
	run(\@command, '>', \my $out, '2>', \my $err);
	chomp $out;    # zbarimg ends what it read with one newline
	return decode_utf8($out);
}

# A terminal that writes light on dark: a block is light, a space is dark.  To a PBM image (1 is black).
sub terminal_image
{
	my ($lines, $px) = @_;
	my %halves = (' ' => [ 1, 1 ], '▀' => [ 0, 1 ], '▄' => [ 1, 0 ], '█' => [ 0, 0 ]);
	my @rows;
	foreach my $line (split /\n/, $lines)
	{
		foreach my $half (0, 1)
		{
			my $row = join '', map { $halves{$_}[$half] x $px } split //, $line;
			push @rows, ($row) x $px;
		}
	}
	return sprintf("P1\n%d %d\n%s\n", length($rows[0]), scalar(@rows), join("\n", @rows));
}

foreach my $name (sort keys %text)
{
	my $text = $text{$name};

	my $lines = decode_utf8(query('qr_text', $text, ''));
	is(scan(spew('text.pbm', terminal_image($lines, 4))), $text, "qr_text: $name");

	foreach my $px (3, 4, 10)
	{
		my $svg = spew('symbol.svg', query('qr_svg', $text, ", $px"));
		my $png = "$dir/rendered.png";
		run([ 'rsvg-convert', '--unlimited', '--output', $png, $svg ]);
		is(scan($png), $text, "qr_svg: $name, $px px a module");

		my $hex = $node->safe_psql('postgres',
			encode_utf8("SELECT pg_catalog.encode(epermit.qr_png(\$qr\$$text\$qr\$::text, $px), 'hex')"));
		is(scan(spew('symbol.png', pack('H*', $hex))), $text, "qr_png: $name, $px px a module");
	}
}

# Deep in a query, in parallel workers and repeated, nothing piles up or breaks.
is( $node->safe_psql(
		'postgres', q{
	SELECT count(DISTINCT epermit.qr_png(repeat('A', n), 2)), count(DISTINCT epermit.qr_svg(repeat('A', n)))
	  FROM generate_series(1, 300) AS n}),
	'300|300',
	'every text has its own symbol');

# An error in the middle leaves a session that works.
my ($ret, $out, $err) = $node->psql('postgres',
	q{SELECT epermit.qr_png(repeat('A', 5000)); SELECT length(epermit.qr_text('A'::text)) > 0},
	on_error_stop => 0);
is($out, 't', 'a session goes on after a text that was too long');
like($err, qr/text is too long for a QR code/, 'and was told why');

$node->stop;
done_testing();
