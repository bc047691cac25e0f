# A database with epermit in a cluster of its own, three people, keys and two departments.
#
#   my $db = Epermit->start('issuer');
#   my $no = $db->issue('hong_kong');
#   is($db->verify($db->token($no)), 'valid');
#
# Strings are bytes, UTF-8, as psql takes and gives them.
package Epermit;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# Where a person's documents end is far away unless a test says otherwise.
our %people = (
	hong_kong => {
		region              => 'HKG',
		document_kind       => 'hk_macau',
		travel_permit_no    => 'H12345678',
		residence_permit_no => residence_permit_no('810000', '19850601', '003'),
		name_zh             => '陳大文',
		name_romanised      => 'CHAN TAI MAN',
		birth_date          => '1985-06-01',
		sex                 => 'male',
		valid_until         => '2040-05-31'
	},
	macao => {
		region              => 'MAC',
		document_kind       => 'hk_macau',
		travel_permit_no    => 'M23456789',
		residence_permit_no => residence_permit_no('820000', '19920229', '004'),
		name_zh             => '何美玲',
		name_romanised      => 'HO MEI LENG',
		birth_date          => '1992-02-29',
		sex                 => 'female',
		valid_until         => '2040-05-31'
	},
	taiwan => {
		region              => 'TWN',
		document_kind       => 'taiwan',
		travel_permit_no    => '01234567',
		residence_permit_no => residence_permit_no('830000', '19791231', '011'),
		name_zh             => '林𠮷明',
		name_romanised      => 'LIN CHI-MING',
		birth_date          => '1979-12-31',
		sex                 => 'male',
		valid_until         => '2040-05-31'
	});

# Its check digit: ISO 7064 MOD 11-2.
sub residence_permit_no
{
	my $digits = join '', @_;
	my @weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2);
	my $sum = 0;
	$sum += $weights[$_] * substr($digits, $_, 1) foreach 0 .. 16;
	return $digits . substr('10X98765432', $sum % 11, 1);
}

sub new_cluster
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(
		allows_streaming => $options{streaming},
		extra            => [ '--encoding', 'UTF8', '--locale', 'C.UTF-8' ]);
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	return $node;
}

# A cluster that is started with its clock standing where now() puts it, Beijing time; timeouts and latches go by
# the monotonic clock, which goes on.  $faketime: is there what it takes?
our ($faketime) = glob('/usr/lib/*/faketime/libfaketime.so.1');
my $clock;

sub start_at
{
	my ($node, $time) = @_;
	$clock //= PostgreSQL::Test::Utils::tempdir . '/clock';
	local %ENV = (
		%ENV,
		TZ                           => 'CST-8',
		LD_PRELOAD                   => $faketime,
		FAKETIME_TIMESTAMP_FILE      => $clock,
		FAKETIME_NO_CACHE            => 1,
		FAKETIME_DONT_FAKE_MONOTONIC => 1,
		NO_FAKE_STAT                 => 1);
	now($time);
	$node->start;
	return;
}

sub now
{
	my ($time) = @_;
	open(my $file, '>', "$clock.new") or die "$clock.new: $!";
	print $file "$time\n";
	close($file);
	rename("$clock.new", $clock) or die "$clock: $!";
	return;
}

# A running cluster whose database postgres has the extension and all that it needs to issue.
sub start
{
	my ($class, $name, %options) = @_;
	my $node = new_cluster($name, %options);
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE rail; CREATE ROLE bank');
	return $class->at($node)->furnish;
}

# A database of a cluster, as it is.
sub at
{
	my ($class, $node, $dbname) = @_;
	return bless { node => $node, dbname => $dbname // 'postgres' }, $class;
}

sub furnish
{
	my ($self) = @_;
	$self->sql(
		q{CREATE EXTENSION epermit;
		SELECT epermit.create_signing_key(u) FROM unnest(enum_range(NULL::epermit.key_usage)) u;
		SELECT epermit.register_department('rail', 'Railway', 'rail', '{rail,air}',
			'{holder_name,name_romanised,birth_date,document_kind,document_no,purposes,portrait_digest,name_match}');
		SELECT epermit.register_department('bank', 'Bank', 'bank', '{finance}', '{document_no}');});
	$self->register($_) foreach sort keys %people;
	return $self;
}

sub register
{
	my ($self, $person) = @_;
	my $p = $people{$person};
	return $self->sql(
		qq{SELECT epermit.register_residence_permit(
			epermit.register_holder('$p->{travel_permit_no}', '$p->{valid_until}', '$p->{name_zh}',
				'$p->{name_romanised}', '$p->{birth_date}', '$p->{sex}', '$p->{region}'),
			'$p->{residence_permit_no}', '$p->{valid_until}')});
}

sub node { return $_[0]->{node} }

# What a script prints; dies where it fails.
sub sql
{
	my ($self, $sql) = @_;
	return $self->{node}->safe_psql($self->{dbname}, $sql);
}

sub as
{
	my ($self, $role, $sql) = @_;
	return $self->sql("SET ROLE $role; $sql");
}

# The SQLSTATE that a script fails with, or what it prints.
sub try
{
	my ($self, $sql) = @_;
	my ($status, $stdout, $stderr) =
	  $self->{node}->psql($self->{dbname}, "\\set VERBOSITY sqlstate\n$sql");
	return $status == 0 ? $stdout : $stderr =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : $stderr;
}

# An application as an SQL expression.  Values are text, or undef to leave a field out.
sub application
{
	my ($person, %fields) = @_;
	my $p = $people{$person};
	my %all = (
		document_kind   => $p->{document_kind},
		document_no     => $p->{travel_permit_no},
		document_expiry => $p->{valid_until},
		name            => $p->{name_zh},
		birth_date      => $p->{birth_date},
		mobile_no       => '13800138000',
		%fields);
	my %expression = map { $_ => "'$all{$_}'" } grep { defined $all{$_} } keys %all;
	$expression{request_id} = 'gen_random_uuid()' unless exists $all{request_id};
	$expression{attestation} = "epermit.attest('$p->{travel_permit_no}')" unless exists $all{attestation};
	return 'jsonb_build_object(' . join(', ', map { "'$_', $expression{$_}" } sort keys %expression) . ')';
}

sub permit_application
{
	my ($person, %fields) = @_;
	return application($person, reason => 'lost', %fields);
}

sub linkage_application
{
	my ($person, %fields) = @_;
	my $p = $people{$person};
	return application(
		$person,
		residence_permit_no     => $p->{residence_permit_no},
		residence_permit_expiry => $p->{valid_until},
		%fields);
}

# The number of what was issued, or the codes of why not.
our $answer = "SELECT coalesce(i.credential_no::text, (SELECT string_agg(code, ' ' ORDER BY code) FROM unnest(i.problems)))";

sub issue
{
	my ($self, $person, %fields) = @_;
	return $self->sql("$answer FROM epermit.issue_permit(" . permit_application($person, %fields) . ') i');
}

sub link_documents
{
	my ($self, $person, %fields) = @_;
	return $self->sql("$answer FROM epermit.link_documents(" . linkage_application($person, %fields) . ') i');
}

sub token
{
	my ($self, $no) = @_;
	return $self->sql("SELECT epermit.credential_token('$no')");
}

# Verdicts.
sub verify
{
	my ($self, $presented) = @_;
	return $self->as('rail', "SELECT verdict FROM epermit.verify_permit('$presented', 'rail')");
}

sub verify_offline
{
	my ($self, $presented) = @_;
	return $self->sql("SELECT verdict FROM epermit.verify_offline('$presented', 'rail')");
}

sub verify_linkage
{
	my ($self, $person, $presented) = @_;
	my $p = $people{$person};
	return $self->as('bank',
		qq{SELECT verdict FROM epermit.verify_linkage('$presented',
			'$p->{travel_permit_no}', '$p->{residence_permit_no}', 'finance')});
}

sub verify_linkage_offline
{
	my ($self, $person, $presented) = @_;
	my $p = $people{$person};
	return $self->sql(
		qq{SELECT verdict FROM epermit.verify_linkage_offline('$presented', '$p->{travel_permit_no}',
			'$p->{residence_permit_no}', '$p->{birth_date}', 'finance')});
}

sub documents_linked
{
	my ($self, $person) = @_;
	my $p = $people{$person};
	return $self->as('bank',
		qq{SELECT verdict FROM epermit.documents_linked(
			'$p->{travel_permit_no}', '$p->{residence_permit_no}', 'finance')});
}

1;
