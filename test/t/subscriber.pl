# A logical subscriber's sessions notice what is replicated into the tables they cache.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Epermit;
use Test::More;

my $publisher = Epermit->start('publisher', streaming => 'logical');
my $node = Epermit::new_cluster('subscriber');
$node->start;
my $subscriber = Epermit->at($node);
$subscriber->sql(
	q{CREATE EXTENSION epermit;
	CREATE FUNCTION try() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN (epermit.verify_permit('x', 'rail')).verdict;
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE;
	END $$;});

$publisher->sql('CREATE PUBLICATION departments FOR TABLE epermit.department');
$subscriber->sql("CREATE SUBSCRIPTION departments CONNECTION \$c\$" . $publisher->node->connstr('postgres') . "\$c\$ PUBLICATION departments");
$node->wait_for_subscription_sync($publisher->node, 'departments');

my $session = $node->background_psql('postgres');
is($session->query('SELECT try()'), 'TP005', 'a session whose role is no department');
$publisher->sql(q{SELECT epermit.register_department('mine', 'Mine', current_user, '{rail}', '{}')});
$publisher->node->wait_for_catchup('departments');
is($session->query('SELECT try()'), 'malformed', 'notices that it has become one');
$publisher->sql(q{SELECT epermit.register_department('mine', 'Mine', current_user, '{air}', '{}')});
$publisher->node->wait_for_catchup('departments');
is($session->query('SELECT try()'), 'TP006', 'and what it may ask for');
$publisher->sql(q{DELETE FROM epermit.department WHERE code = 'mine'});
$publisher->node->wait_for_catchup('departments');
is($session->query('SELECT try()'), 'TP005', 'and that it is none any more');
$session->quit;

$node->stop;
$publisher->node->stop;
done_testing();
