# The master key: where it comes from, what a bad or lost one stops and what it does not, how it
# is replaced without a pause, and that neither it nor its whereabouts get out.
use strict;
use warnings;

use File::Spec;
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('issuer');
$node->init(extra => [ '--encoding', 'UTF8', '--locale', 'C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION epermit');

my $generated = $node->data_dir . '/epermit_master_key';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $sign = 'SELECT length(epermit.key_list()) > 0';    # needs the root key's seed

# A new session each time, so that the seed is unsealed anew.
sub runs
{
	my ($sql, $name) = @_;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', $sql);
	is($ret, 0, $name) or diag($stderr);
	return ($stdout, $stderr);
}

sub fails
{
	my ($sql, $pattern, $name) = @_;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql");
	isnt($ret, 0, "$name: fails");
	like($stderr, $pattern, $name);
	unlike($stderr, qr/\Q$dir\E/, "$name: the path stays unsaid");
	return;
}

sub set_up
{
	my (%settings) = @_;
	my $conf = join '', map { "epermit.$_ = '$settings{$_}'\n" } sort keys %settings;
	PostgreSQL::Test::Utils::append_to_file($node->data_dir . '/postgresql.conf', "include_if_exists = 'epermit.conf'\n")
	  unless -e $node->data_dir . '/epermit.conf';
	write_file($node->data_dir . '/epermit.conf', $conf, 0600);
	$node->reload;
	# the postmaster has read it once a new session shows it
	foreach my $name (qw(master_key_file master_key_command master_key_old_file))
	{
		my $wanted = $settings{$name} // '';
		$wanted =~ s/''/'/g;
		$node->poll_query_until('postgres',
			"SELECT coalesce(current_setting('epermit.$name', true), '') = \$s\$$wanted\$s\$")
		  or die "epermit.$name was not taken";
	}
	return;
}

sub write_file
{
	my ($path, $bytes, $mode) = @_;
	unlink $path;
	open(my $fh, '>:raw', $path) or die "$path: $!";
	print $fh $bytes;
	close $fh;
	chmod $mode, $path or die "$path: $!";
	return $path;
}

# ---------------------------------------------------------------- generated

is($node->safe_psql('postgres', 'SELECT epermit.master_key_place()'), 'missing', 'at first there is none');

# Whoever comes first makes the file, all use it.
my @sessions = map {
	my %session;
	$session{handle} = IPC::Run::start(
		[ 'psql', '-X', '-A', '-t', '-d', $node->connstr('postgres'), '-c', "SELECT epermit.create_signing_key('$_')" ],
		'>', \$session{out}, '2>', \$session{err});
	\%session;
} qw(permit linkage status attestation root);
ok($_->{handle}->finish, 'one of several first keys at once is made') or diag($_->{err}) foreach @sessions;
is(scalar(grep { $_->{err} =~ /made a master key.*not fit for production/s } @sessions), 1, 'one of them made the master key and says that it is not for production');
is(-s $generated, 32, 'it has 32 bytes');
is((stat $generated)[2] & 07777, 0600, 'nobody else can read it');
is_deeply([ glob "$generated.*" ], [], 'nothing is left beside it');
is($node->safe_psql('postgres', 'SELECT epermit.master_key_place()'), 'generated', 'health can say so');
is($node->safe_psql('postgres', 'SELECT epermit.reseal_keys()'), 0, 'every seed opens under it');
runs($sign, 'it serves to sign');

# ---------------------------------------------------------------- lost

rename $generated, "$generated.away" or die;
fails($sign, qr/TP004: +master key is not available.*could not be opened: No such file.*HINT/s, 'without it nothing is signed');
fails("SELECT epermit.rotate_signing_key('permit')", qr/TP004/, 'nor rotated');
fails('SELECT epermit.reseal_keys()', qr/TP004/, 'nor resealed');
ok(!-e $generated, 'with seeds sealed no new one is made over the loss');
is($node->safe_psql('postgres', "SELECT jsonb_array_length(epermit.jwks() -> 'keys'), length(epermit.cose_keyset()) > 0"),
	'5|t', 'public keys stay at hand');
is($node->safe_psql('postgres', 'SELECT epermit.master_key_place()'), 'missing', 'health can say so');
rename "$generated.away", $generated or die;
runs($sign, 'back in its place it serves again');

# ---------------------------------------------------------------- bad files

my $key = 'c0ffee' . '0123456789abcdef' x 3 . '0badcafe99';
my $file = "$dir/master_key";
foreach my $case (
	[ 'absent',              undef,            0600, qr/could not be opened: No such file/ ],
	[ 'empty',               '',               0600, qr/is neither 32 bytes nor 64 hexadecimal digits/ ],
	[ 'too short',           'x' x 31,         0600, qr/is neither 32 bytes/ ],
	[ '32 bytes and a line end', 'x' x 32 . "\n", 0600, qr/is neither 32 bytes/ ],
	[ '63 digits',           substr($key, 1),  0600, qr/is neither 32 bytes/ ],
	[ 'no digits',           'x' x 64,         0600, qr/is neither 32 bytes/ ],
	[ 'two line ends',       "$key\n\n",       0600, qr/is neither 32 bytes/ ],
	[ 'too long',            $key x 100,       0600, qr/is neither 32 bytes/ ],
	[ 'readable by others',  $key,             0604, qr/has group or world access/ ],
	[ 'readable by the group', $key,           0640, qr/has group or world access/ ])
{
	my ($name, $bytes, $mode, $detail) = @$case;
	unlink $file;
	write_file($file, $bytes, $mode) if defined $bytes;
	set_up(master_key_file => $file);
	fails($sign, qr/TP004: .*DETAIL: +The file that epermit\.master_key_file names $detail.*HINT/s, "file $name");
}
set_up(master_key_file => $dir);
fails($sign, qr/TP004: .*is not a regular file/s, 'a directory');
unlink $file;
POSIX::mkfifo($file, 0600) or die;
set_up(master_key_file => $file);
fails($sign, qr/TP004: .*is not a regular file/s, 'a FIFO does not hang the session');

# ---------------------------------------------------------------- replaced without a pause

write_file($file, "$key\n", 0600);
set_up(master_key_file => $file);
fails($sign, qr/TP004: .*does not open under the master key.*HINT: .*master_key_old_file/s, 'another key does not open the seeds');
fails('SELECT epermit.reseal_keys()', qr/TP004/, 'and cannot take them over');
runs("SELECT epermit.rotate_signing_key('status')", 'but new keys can be made under it');
set_up(master_key_file => $file, master_key_old_file => $generated);
runs($sign, 'with the old one named as well signing goes on');
is($node->safe_psql('postgres', 'SELECT epermit.reseal_keys()'), 5, 'seeds sealed under the old one are sealed anew');
is($node->safe_psql('postgres', 'SELECT epermit.reseal_keys()'), 0, 'once');
unlink $generated or die;
set_up(master_key_file => $file);
runs($sign, 'then the old one can go');
is($node->safe_psql('postgres', 'SELECT epermit.master_key_place()'), 'file', 'health can say so');
is($node->safe_psql('postgres', "SELECT count(*) FROM epermit.audit_log WHERE event = 'key' AND detail ->> 'action' = 'reseal'"), 5, 'resealing is in the audit log');
write_file($file, pack('H*', $key), 0600);
runs($sign, 'raw bytes are as good as digits');
write_file($file, uc($key) . "\r\n", 0600);
runs($sign, 'so are capitals and another line end');

# ---------------------------------------------------------------- command

set_up(master_key_command => "cat $file");
runs($sign, 'a command prints the key');
is($node->safe_psql('postgres', 'SELECT epermit.master_key_place()'), 'command', 'health can say so');
set_up(master_key_command => "cat $file; exit 3");
fails($sign, qr/TP004: .*epermit\.master_key_command failed: child process exited with exit code 3/s, 'a command that fails');
set_up(master_key_command => 'kill -9 $$');
fails($sign, qr/TP004: .*terminated by signal 9/s, 'a command that is killed');
set_up(master_key_command => "cat $file $file");
fails($sign, qr/TP004: .*The output of epermit\.master_key_command is neither/s, 'a command that prints too much');
set_up(master_key_command => 'yes');
fails($sign, qr/TP004: .*The output of epermit\.master_key_command is neither/s, 'a command that does not end printing');
set_up(master_key_command => 'true');
fails($sign, qr/TP004: .*The output of epermit\.master_key_command is neither/s, 'a command that prints nothing');
set_up(master_key_command => 'sleep 600; echo late');
fails("SET statement_timeout = '1s';\n$sign", qr/57014: /, 'a command that hangs can be cancelled');
set_up(master_key_file => $file, master_key_command => "cat $file");
fails($sign, qr/TP004: .*are both set/s, 'a file and a command');

# ---------------------------------------------------------------- sessions

# A session keeps its unsealed key, but not beyond the setting it was unsealed under.
set_up(master_key_file => $file);
{
	my ($in, $out, $err) = ('', '', '');
	my $timeout = IPC::Run::timer(60);
	my $session = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$out, '2>', \$err, $timeout);
	my $ask = sub {
		($out, $err) = ('', '');
		$in .= "$_[0];\n\\echo done\n\\warn done\n";
		$session->pump until ($out =~ /^done$/m && $err =~ /^done$/m) || $timeout->is_expired;
		return $out . $err;
	};
	like($ask->($sign), qr/^t$/m, 'a session signs');
	rename $file, "$file.away" or die;
	like($ask->($sign), qr/^t$/m, 'and goes on while the file is away');
	set_up(master_key_file => "$file.elsewhere");
	like($ask->($sign), qr/master key is not available/, 'until the setting changes');
	rename "$file.away", $file or die;
	set_up(master_key_file => $file);
	like($ask->($sign), qr/^t$/m, 'and again once it is right');
	$in .= "\\q\n";
	$session->finish;
}

# What an ordinary user sets before the library is loaded does not count once it is.
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN');
{
	my ($ret, $stdout, $stderr) = $node->psql('postgres',
		"SET epermit.master_key_command = 'touch $dir/owned';\n$sign", extra_params => [ '-U', 'mallory' ]);
	is($stdout, 't', 'PUBLIC gets the list signed');
	ok(!-e "$dir/owned", 'a command of an ordinary user is not run');
}
fails("SET epermit.nonsense = 1;\n$sign;\nSET epermit.nonsense = 1", qr/invalid configuration parameter name "epermit\.nonsense"/,
	'an unknown setting is refused');

# ---------------------------------------------------------------- bound to its row

$node->safe_psql('postgres', q{
	UPDATE epermit.signing_key k SET sealed_seed = o.sealed_seed FROM epermit.signing_key o
	 WHERE k.usage = 'root' AND o.usage = 'linkage'});
fails($sign, qr/TP004: .*or the row was altered/s, 'a seed does not open in another key\'s row');
runs("SELECT epermit.rotate_signing_key('root')", 'a new key gets over it');
runs($sign, 'and signs');
my ($stdout, $stderr) = runs('SELECT epermit.reseal_keys()', 'a seed that opens no more stops resealing');
like($stderr, qr/WARNING: +the seed of retired root key [0-9a-f]{16} opens under neither master key/, 'only with a warning where it signs nothing more');

# ---------------------------------------------------------------- restored elsewhere

my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init(extra => [ '--encoding', 'UTF8', '--locale', 'C.UTF-8' ]);
$restored->start;
command_ok([ 'pg_dump', '-f', "$dir/dump", '-d', $node->connstr('postgres') ], 'keys are dumped');
command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-q', '-o', File::Spec->devnull, '-f', "$dir/dump", '-d', $restored->connstr('postgres') ],
	'and restored into an empty cluster');
my $keys = 'SELECT kid, usage, public_key, sealed_seed, state, created_at, retired_at FROM epermit.signing_key ORDER BY kid';
is($restored->safe_psql('postgres', $keys), $node->safe_psql('postgres', $keys), 'byte for byte');
{
	my $issuer = $node;
	$node = $restored;
	fails($sign, qr/TP004: .*epermit_master_key in the data directory could not be opened/s, 'where the master key is not, nothing is signed');
	fails("SELECT epermit.rotate_signing_key('root')", qr/TP004/, 'nor is one made up');
	set_up(master_key_file => $file);
	runs($sign, 'with the master key the restored seeds serve');
	$node = $issuer;
}

# ---------------------------------------------------------------- nothing gets out

foreach my $server ($node, $restored)
{
	my $log = PostgreSQL::Test::Utils::slurp_file($server->logfile);
	unlike($log, qr/\Q$key\E/i, 'no log of ' . $server->name . ' has the master key');
	$server->stop;
}

done_testing();
