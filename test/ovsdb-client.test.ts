/** ovsdb-client, command line by command line: whoever's tool and whoever's server, the text is the peer's. */
import { withSuite } from './lib/lab.js';
import { comparedWithPeer, play } from './lib/transcript.js';
import { words } from './lib/vsctl-script.js';

/** Each line sees what those before it did; a line of ovs-vsctl is there for what it does. */
const SCRIPT = String.raw`
ovs-vsctl --no-wait add-br b1 -- set bridge b1 external-ids:a=b other-config:x="y z"
ovs-vsctl --no-wait add-br b2 -- add-port b2 p1 tag=7 trunks=1,2,3
ovsdb-client list-dbs
ovsdb-client list-dbs x
ovsdb-client list-dbs x y
ovsdb-client get-schema
ovsdb-client get-schema Open_vSwitch
ovsdb-client get-schema nodb
ovsdb-client get-schema x y
ovsdb-client get-schema-version
ovsdb-client get-schema-cksum
ovsdb-client list-tables
ovsdb-client list-tables --format=csv
ovsdb-client list-tables x y
ovsdb-client list-columns
ovsdb-client list-columns Bridge
ovsdb-client list-columns Open_vSwitch Bridge
ovsdb-client list-columns nope
ovsdb-client list-columns a b c
ovsdb-client dump
ovsdb-client dump Bridge
ovsdb-client dump Open_vSwitch Bridge name
ovsdb-client dump Bridge name external_ids
ovsdb-client dump Bridge nocol
ovsdb-client dump nodb
ovsdb-client dump x y z
ovsdb-client --format=list dump Bridge name other_config
ovsdb-client --format=html dump Bridge name external_ids
ovsdb-client --format=csv dump Bridge name other_config
ovsdb-client --format=json dump Bridge name
ovsdb-client --pretty --format=json dump Bridge name external_ids
ovsdb-client --data=json dump Bridge name external_ids
ovsdb-client --data=bare dump Port name trunks
ovsdb-client --no-headings dump Bridge name
ovsdb-client --format=nope dump
ovsdb-client --data=nope dump
ovsdb-client transact ["Open_vSwitch",'{"op":"select","table":"Bridge","where":[["name","==","b1"]],"columns":["name","external_ids"]}]'
ovsdb-client --pretty transact '["Open_vSwitch",{"op":"select","table":"Bridge","where":[["name","==","b1"]],"columns":["ports","external_ids"]}]'
ovsdb-client transact '["Open_vSwitch",{"op":"insert","table":"Port","row":{"name":"x"}}]'
ovsdb-client transact '["Open_vSwitch",{"op":"update","table":"Bridge","where":[],"row":{"fail_mode":"nope"}}]'
ovsdb-client transact '["Open_vSwitch",{"op":"x"}]'
ovsdb-client transact '["Open_vSwitch",{"op":"comment","comment":"hello"},{"op":"abort"}]'
ovsdb-client transact '["Open_vSwitch"]'
ovsdb-client transact '["nodb"]'
ovsdb-client transact '[]'
ovsdb-client transact '{}'
ovsdb-client transact '[1]'
ovsdb-client transact 'x'
ovsdb-client transact "'"
ovsdb-client transact '["a" "b"]'
ovsdb-client transact '[1,2'
ovsdb-client transact '["a"] x'
ovsdb-client transact ''
ovsdb-client transact a b c
ovsdb-client transact
ovsdb-client query '["Open_vSwitch",{"op":"update","table":"Bridge","where":[],"row":{"fail_mode":"secure"}}]'
ovsdb-client query '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["fail_mode"]}]'
ovsdb-client query '["Open_vSwitch",{"op":"insert","table":"Manager","row":{"target":"x"}}]'
ovsdb-client query '[]'
ovsdb-client query '['
ovsdb-client needs-conversion /usr/share/openvswitch/vswitch.ovsschema
ovsdb-client needs-conversion /nonexistent
ovsdb-client needs-conversion /etc/passwd
ovsdb-client --timeout=1 monitor Bridge name,external_ids
ovsdb-client --timeout=1 --format=csv monitor Open_vSwitch Port name tag,trunks
ovsdb-client --timeout=1 monitor ALL
ovsdb-client --timeout=1 monitor Bridge !initial
ovsdb-client --timeout=1 monitor-cond '[["name","==","b1"]]' Bridge name,external_ids
ovsdb-client --timeout=1 monitor-cond-since '[["name","!=","b1"]]' Bridge name
ovsdb-client --timeout=1 monitor-cond-since 00000000-0000-0000-0000-000000000001 '[true]' Bridge name external_ids
ovsdb-client monitor-cond
ovsdb-client monitor-cond x Bridge
ovsdb-client monitor-cond '[]' nope
ovsdb-client monitor-cond '[]' Bridge nocol
ovsdb-client monitor-cond '[["q"]]' Bridge
ovsdb-client monitor-cond '[["nocol","==",1]]' Bridge
ovsdb-client monitor-cond '[["name","==",1]]' Bridge
ovsdb-client monitor-cond '[["name","zz","a"]]' Bridge
ovsdb-client monitor-cond '[]' Bridge name external_ids
ovsdb-client lock
ovsdb-client lock a b
ovsdb-client --timeout=1 lock L
ovsdb-client --timeout=1 steal L
ovsdb-client monitor
ovsdb-client monitor nope
ovsdb-client monitor Bridge nocol
ovsdb-client monitor Bridge name,nocol
ovsdb-client unix:/nonexistent list-dbs
ovsdb-client list-dbs unix:/nonexistent
ovsdb-client list-dbs tcp:127.0.0.1:1
ovsdb-client --timeout=x list-dbs
ovsdb-client --timeout=0 list-dbs
ovsdb-client --bogus
ovsdb-client frobnicate
ovsdb-client
`;

const LINES = SCRIPT.slice(1, -1).split('\n').map(words);

/** Takes out what differs from run to run; rows, and tables of a list, have no order in the peer. */
function normalize(text: string, dir: string): string {
  return text
    .replaceAll(dir, 'DIR')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|/gm, 'TIME|')
    .replace(/^\/\S*\/(?=ovsdb-client: )/gm, '')
    .split('\n')
    .toSorted()
    .join('\n');
}

comparedWithPeer(
  (tools, daemons) =>
    `ovsdb-client of ${tools} on ovsdb-server of ${daemons}: every command line as the peer's`,
  (t, daemons, tools) =>
    withSuite(t, { side: daemons, start: false }, (suite, dir) =>
      withSuite(t, { side: tools, start: false }, async (toolbox) => {
        await suite.createDatabase();
        await suite.startDetached('ovsdb-server');
        await suite.vsctl('--no-wait', 'init');
        return play(suite, toolbox, LINES, ({ stdout, stderr }) => normalize(stdout + stderr, dir));
      }),
    ),
);
