/**
 * Command lines of ovs-vsctl, one a line, for the comparison of two of them over the same start: every command, the
 * ways to be wrong about it, and the forms of values and conditions. Each line sees what those before it did.
 *
 * Words are split at spaces; '…' and "…" keep what is in them together, and nothing else is special.
 */
const SCRIPT = String.raw`
add-br br0 -- set bridge br0 datapath_type=dummy
add-br br0
add-port br0 p1 -- set interface p1 type=dummy
add-port br0 p1
--may-exist add-port br0 p1
add-br p1
add-port br0 px
add-port nobr p9
del-port nope
--if-exists del-port nope
add-br br1 br0 10
add-br br2 -- set bridge br2 datapath_type=dummy
del-port br2 p1
del-port br1 p1
add-port br2 p1
--may-exist add-port br2 p1
list-br
br-to-vlan br1
br-to-parent br1
list-ports br0
list-ifaces br0
port-to-br p1
iface-to-br p1
port-to-br br0
get bridge br0 nocol
get bridge br0 name fail_mode ports:3
get bridge br0 other_config:foo
--if-exists get bridge br0 other_config:foo
set bridge br0 nocolumn=1
set bridge br0 fail_mode=maybe
set port br0 tag=5000
get bridge nobr name
list nonsense
set bridge br0 other_config:x=1 other_config:y=2
get bridge br0 other_config
remove bridge br0 other_config x
clear bridge br0 other_config
clear bridge br0 name
add bridge br0 fail_mode secure
add bridge br0 fail_mode standalone
--columns=name,fail_mode find bridge name=br0
--id=@x create qos type=linux-htb -- set port p1 qos=@x
create qos type=linux-htb
--columns=type list qos
destroy qos nope
wait-until bridge br0 name=br0
frobnicate

add-br
add-br a b c d e
add-br a b
--nonsense
--foo list-br
list-br -- --foo list-br
set-controller br0 tcp:127.0.0.1:6653
get-controller br0
del-controller br0
set-fail-mode br0 bogus
get-fail-mode br0
emer-reset
--may-exist add-br br0
--db=unix:/nonexistent show
comment hello
br-exists nope
get-manager
get-ssl
add-bond br0 bond0 a1 a2
--retry br-exists br0
-f json list-br
--oneline list-br -- get bridge br0 name
--format=list --columns=name,tag list port br0
--format=table --columns=name,tag list port br0
--format=html --columns=name list port br0
--format=csv --columns=name,other_config list bridge br0
--data=bare --no-headings --columns=name list bridge br0
--bare --columns=name list bridge br0
remove port p1 name p1
set bridge br0 name=brX
swap bridge
set bridge br0 foo
set bridge br0 other_config
set bridge br0 other_config:a
set bridge br0 fail_mode:a=b
set bridge br0 o=1
set bridge br0
set b br0 datapath-type=dummy
find bridge foo
find bridge name
find interface 'ofport>=1' type=dummy --columns=name
--columns=name,ofport find interface 'ofport>=1' type=dummy
--columns=name find port 'tag{>}5'
--columns=name find port 'interfaces{=}x'
--columns=name find bridge 'other_config:a=b'
--columns=nope find bridge
remove bridge br0 other_config zz
add bridge br0 other_config zz
add bridge br0 other_config zz=1 yy=2
remove bridge br0 other_config zz=3
get bridge br0 other_config
remove bridge br0 other_config zz yy
set port p1 qos=@zz
--id=@q create mirror name=m0
create mirror name=m0
destroy bridge br2
--all destroy qos
--if-exists destroy qos abcd
destroy mirror m0
clear port p1 qos
clear port nope qos
--if-exists clear port nope qos
list bridge br0 br1
--may-exist add-port br0 p1 tag=7
add-port br0 p7 tag=8 -- set int p7 type=dummy
add-port br0 p8 tag=zz
add-port br0 p8 nocol=1
add-br a/b
add-br brv br0 10
add-br brv br0 9999
add-br brv nope 9
del-br br1
list-br
--fake list-br
--real list-br
br-set-external-id br0 k v
br-get-external-id br0
br-get-external-id br0 k
set bridge br0 'flow_tables:1=@ft' -- --id=@ft create flow_table name=x flow_limit=10
set-manager ptcp:6640:127.0.0.1
get-manager
del-manager
--verbose=nonsense list-br
-t x list-br
--timeout=0 list-br
--format=nope list-br
--may-exist --may-exist add-br br0
list-br add
--all list-br
--columns list bridge
list-br -- --columns list bridge
del-br a/b -- del-port px -- del-port bond0 -- del-port p7 -- del-port p1
show
set bridge br0 stp_enable=maybe
set bridge br0 ports=
set bridge br0 other_config:a=
set bridge br0 'other_config={a=b'
set bridge br0 'other_config=a=b=c'
get bridge br0 'name:'
get bridge br0 '='
get bridge br0 'name=x'
get bridge br0 "other_config:a b"
set interface br0 mtu_request=1500x
list bridge 12
--verbose=off list-br
get open . next_cfg other_config
list port zz
--if-exists list port zz br0
--columns=name list port br0 br2
--columns=name,name list port br0
--columns= list port br0
set port br0 trunks=1-5
get port br0 trunks
set port br0 trunks=5-1
set port br0 trunks=1-100000
remove port br0 trunks 2-3
get port br0 trunks
clear port br0 trunks
--no-headings --columns=name,tag list port br0
--pretty --format=json --columns=name,tag list port br0
--format=json --columns=name,tag,external_ids list port br0
--data=json --columns=name,external_ids list bridge br0
--data=bare --columns=name,external_ids list bridge br0
--data=nope list-br
br-set-external-id br0 k
br-get-external-id br0
set interface br2 options:a="x y" options:b='"q,=:"'
get interface br2 options
get interface br2 options:b
--columns=name,options list interface br2
--columns=name --format=csv find interface options:a="x y"
set interface br2 options:q='"a\"b"'
get interface br2 options
clear interface br2 options
add-port br2 q1 tag=7 -- set interface q1 type=dummy -- set port q1 trunks=[1,2,3] vlan_mode=native-tagged
set port q1 tag=[] trunks=[1,1]
set port q1 vlan_mode=wrong
set port q1 tag=1,2
set port q1 tag=4096
set port q1 bond_mode=balance-slb -- get port q1 bond_mode
set port q1 qos=@newq -- --id=@newq create qos type=linux-htb other-config:max-rate=1000 queues:0=@q0 -- --id=@q0 create queue other-config:min-rate=10
--columns=type,other_config list qos
--id=@i get interface q1 -- --id=@m create mirror name=m1 select-all=true -- add bridge br2 mirrors @m
--id=@p get port q1 -- set mirror m1 output-port=@p
--columns=name,select_all list mirror
--id=p get port q1
--id=@a get port q1 -- --id=@a get port br2
--if-exists --id=@a get port q1
clear bridge br2 mirrors
list mirror
destroy port q1
--if-exists destroy port qqq
get port q1 _uuid
get port q1 interfaces
--columns=_uuid list port q1
find port name=q1 _uuid=00000000
get interface q1 ofport_request
set interface q1 ofport_request=65280
set interface q1 ofport_request=17
wait-until interface q1 ofport=17
get interface q1 ofport
set bridge br2 flood_vlans=5000
get interface q1 statistics:zz
set interface q1 ingress_policing_rate=-1
set interface q1 external_ids={a=1,b=2}
set interface q1 external_ids:c=3
remove interface q1 external_ids a
remove interface q1 external_ids b=9
remove interface q1 external_ids b=2 c
get interface q1 external_ids
set open . external-ids:hostname=h
get open . external-ids
remove open_vswitch . external_ids hostname
add-bond br2 bo d1 d2 lacp=active -- set interface d1 type=dummy -- set interface d2 type=dummy
list-ports br2
list-ifaces br2
port-to-br bo
iface-to-br d1
port-to-br d1
iface-to-br bo
iface-to-br br2
add-port br2 bq -- set interface bq type=dummy
add-bond-iface bq bi -- set interface bi type=dummy
list-ifaces br2
add-bond-iface bq bi
--may-exist add-bond-iface bq bi
--may-exist add-bond-iface bq d1
add-bond-iface nope bi
add-bond-iface br2 bj
add-bond-iface bo bq
--may-exist add-bond-iface bo br2
del-bond-iface bq zz
del-bond-iface bo bi
--if-exists del-bond-iface bo zz
--if-exists del-bond-iface bo bi
del-bond-iface bi
del-bond-iface bq
del-bond-iface bo br2
--if-exists del-bond-iface br2
del-bond-iface nope bq
--format=table --max-column-width=7 --columns=name,other_config,lacp,bond_mode list port bq
--format=table --max-column-width=3 --no-headings --columns=name,bond_fake_iface list port bq
--max-column-width=x list-br
--may-exist add-bond br2 bo d1 d2
--may-exist add-bond br2 bo d2 d1
--may-exist add-bond br2 bo d1 d3
--may-exist add-bond br0 bo d1 d2
add-bond br2 bp d1 d2
add-bond br2 bp x
add-bond br2 bp x y=z
--fake-iface add-bond br2 bf f1 f2 -- set interface f1 type=dummy -- set interface f2 type=dummy
get port bf bond_fake_iface
--with-iface del-port br2 d1
--with-iface del-port nope
--if-exists --with-iface del-port nope
--if-exists del-port br2 nope
del-port br2 bf
add-br v1 br2 100
add-br v1 br2 100
--may-exist add-br v1 br2 100
--may-exist add-br v1 br2 101
--may-exist add-br v1 br0 100
--may-exist add-br v1
--may-exist add-br br2 br0 100
add-br v2 br2 100
add-br v3 v1 100
list-br
--fake list-br
--real list-br
br-to-vlan v1
br-to-parent v1
add-port v1 vp -- set interface vp type=dummy
get port vp tag
list-ports v1
list-ports br2
port-to-br vp
del-port br2 vp
br-set-external-id v1 a b
br-get-external-id v1
br-get-external-id v1 a
set-controller v1 tcp:127.0.0.1
get-controller v1
set-fail-mode v1 secure
get-fail-mode v1
del-port v1
del-br v1
list-ports br2
set-controller br2 tcp:127.0.0.1:1 ptcp:6699:127.0.0.1
get-controller br2
--columns=target list controller
set-controller br2
get-controller br2
--inactivity-probe=1000 set-controller br2 tcp:127.0.0.1:1
--columns=target,inactivity_probe list controller br2
del-controller br2
set-fail-mode br2 secure
get-fail-mode br2
get-fail-mode nope
del-fail-mode br2
get-fail-mode br2
set-ssl a b c
get-ssl
--bootstrap set-ssl a b c
get-ssl
--columns=private_key,bootstrap_ca_cert list ssl .
del-ssl
get-ssl
set-manager
--oneline list-ports br2
--oneline get bridge br2 name fail_mode
--oneline -- list-br
-- -- list-br
-- list-br --
list-br -- -- list-br
show now
set bridge br2 protocols=OpenFlow10,OpenFlow13
get bridge br2 protocols
set bridge br2 protocols=OpenFlow99
set bridge br2 "protocols=[OpenFlow10, OpenFlow13"
add bridge br2 protocols OpenFlow14 OpenFlow10
remove bridge br2 protocols OpenFlow10 OpenFlow99
clear bridge br2 protocols
find bridge protocols=[]
--columns=name find bridge protocols!=[] name=br2
--columns=name find bridge 'protocols{<=}OpenFlow10'
--columns=name find port 'tag{in}1,2'
--columns=name find port 'tag{not-in}1,2' name=br2
--columns=name find bridge 'other_config:zz{=}[]' name=br2
--columns=name find bridge fail_mode!=secure name=br2
--columns=name find bridge 'name<zz' 'name>br1'
--columns=name find bridge 'name=='
--columns=name find bridge other_config:q
find bridge 'stp_enable:q=1'
set bridge br2 other_config:a\:b=c -- get bridge br2 other_config
get bridge br2 'other_config:"a:b"'
remove bridge br2 other_config '"a:b"'
set bridge br2 mcast
set bridge br2 m=1
get bridge br2 s
get bridge br2 st
get bridge br2 stp_en
list br
list s
--columns=name list po
list i br2
get po br2 na
--columns=n,t list po br2
swap
emer-reset now
init
init x
comment
wait-until bridge br2 name=nope --timeout=1
wait-until bridge br2 nocol=1
create bridge
create bridge name=
create bridge foo=bar
create port name=1 interfaces=@zz
create interface name=if0
--id=x create interface name=if0
destroy bridge nope
destroy
--all destroy bridge br2
--all --if-exists destroy bridge
--if-exists set bridge nope name=1
--if-exists add bridge nope protocols OpenFlow10
--if-exists remove bridge nope protocols OpenFlow10
--if-exists clear bridge nope protocols
add bridge br2 nope 1
add bridge br2 name x
clear bridge br2 _uuid
set bridge br2 _uuid=1
set bridge br2 name:1=2
set bridge br2 =2
set bridge br2 :=2
set bridge br2 protocols:=2
set bridge br2 other_config:=2
get bridge br2 other_config:
get bridge br2 "name
--no-wait --timeout=5 list-br
--no list-br
--timeout list-br
-x
-t
--db
--format
--bare --columns=name,tag list port br2
--may-exist list-br
list-br --may-exist
--may-exist=x add-br br0
list bridge --columns=name
get-manager x
set bridge nobr nocol=1
clear bridge nobr nocol
get bridge br2 name:x nocol
set bridge br2 name:x=y nocol=1
get bridge nobr _uu
get bridge br2 _UUID:x
get bridge br2 _uuid:x
--columns=name list bridge br2 -- --columns=name list port br2
--columns=name list bridge br2 -- get bridge br2 name -- --columns=name list port br2
-f table --columns=name list bridge br2 -- --columns=name list port br2
-f csv --columns=name list bridge br2 -- --columns=name list port br2
-f html --columns=name list bridge br2 -- --columns=name list port br2
--oneline --columns=name,fail_mode list bridge br2 -- get bridge br2 name
--inactivity-probe=abc set-manager ptcp:0:127.0.0.1
--columns=target,inactivity_probe list manager
del-manager
get-aa-mapping br2
add-aa-mapping br2 1 2
add-aa-mapping br2 1 2
add-aa-mapping br2 1 3
get-aa-mapping br2
add-aa-mapping br2 x 2
add-aa-mapping br2 3 x
add-aa-mapping br2 16777216 2
add-aa-mapping br2 3 4096
add-aa-mapping nobr 3 4
add-aa-mapping br2 300 4 -- add-aa-mapping br2 20 5
get-aa-mapping br2
get-aa-mapping nobr
del-aa-mapping br2 1 9
del-aa-mapping br2 9 9
del-aa-mapping br2 1 2
get-aa-mapping br2
del-aa-mapping br2 3
add-aa-mapping br2 3 4 5
--oneline get-aa-mapping br2
--columns=mappings list autoattach br2
add-br va br2 9
add-aa-mapping va 7 8
get-aa-mapping va
get-aa-mapping br2
del-aa-mapping va 7 8
del-br va
clear bridge br2 auto_attach
list autoattach
list-zone-tp
list-zone-tp dp
list-zone-tp a b
list-dp-cap
list-dp-cap dp
list-dp-cap dp dp
add-zone-tp dp zone=1 icmp_first=1
del-zone-tp dp zone=1
set open . datapaths:dp=@x -- --id=@x create datapath datapath_version=1 capabilities:ufid=true
list-dp-cap dp
--oneline list-dp-cap dp
list-zone-tp dp
add-zone-tp dp
add-zone-tp dp zone=1
add-zone-tp dp zone=1 icmp_first=1 icmp_reply=2
add-zone-tp dp zone=1 icmp_first=1 icmp_reply=2
--may-exist add-zone-tp dp zone=1 icmp_first=9
list-zone-tp dp
add-zone-tp dp zone=3 nope=1
add-zone-tp dp zone=4 tcp_close=-1
add-zone-tp dp zone=65536 tcp_close=1
add-zone-tp dp zone=-1 tcp_close=1
add-zone-tp dp zone=12 udp_first=1 udp_single=3 tcp_syn_sent=60
add-zone-tp dp zone=13 udp_first=1 udp_single=3 tcp_syn_sent=60
--columns=timeouts list ct_timeout_policy
list-zone-tp dp
--oneline list-zone-tp dp
-- --id=@z create ct_zone external_ids:a=b -- set datapath . ct_zones:5=@z
list-zone-tp dp
del-zone-tp dp zone=99
--if-exists del-zone-tp dp zone=99
--if-exists del-zone-tp nodp zone=99
del-zone-tp dp zone=1
del-zone-tp dp
del-zone-tp dp zone=1 a
list-zone-tp dp
--may-exist list-zone-tp dp
clear open . datapaths
list ct_zone
list datapath
list-dp-cap dp
--commands=x
--options=x
--db=unix:/nonexistent,unix:/nonexistent/too list-br
--columns=name find port tag=[] name=br2
--columns=name find port 'tag{<=}1,2,3' name=br2
--columns=name find port 'trunks{>=}[]' name=br2
--columns=name find bridge 'external_ids{>=}a=1'
--columns=name find bridge 'external_ids{!=}{}' name=br2
--columns=name find bridge 'name{in}br2,br0'
--columns=name find bridge 'name{>}br2,br0'
--columns=name find interface 'options{=}{}' name=br2
--columns=name find bridge 'stp_enable<true' name=br2
--columns=name find bridge name>=br2 name<=br2
--columns=name find bridge 'other_config:a{not-in}b' name=br2
--columns=name find bridge 'other_config:a{in}b' name=br2
--columns=name find bridge 'other_config:a!=b' name=br2
-- --id=@a create queue other_config:max-rate=1 -- --id=@b create queue -- --id=@q create qos type=linux-htb queues=0=@a,1=@b -- set port br2 qos=@q
-- --id=@a create queue other_config:max-rate=1 -- --id=@b create queue dscp=1 -- --id=@q create qos type=linux-htb queues=0=@a,1=@b -- set port br2 qos=@q
--columns=type,queues list qos br2
--columns=dscp,other_config list queue
clear port br2 qos -- --all destroy qos -- --all destroy queue
list qos
-- --id=@m create mirror name=mm select_all=1
-- --id=@m create mirror name=mm select_all=yes -- add bridge br2 mirrors @m
-- --id=@m create mirror name=mm select_all=true select_vlan=1,2,3-5 output_vlan=7 -- add bridge br2 mirrors @m
--columns=name,select_vlan,output_vlan list mirror mm
-- --id=@rec get mirror mm -- remove bridge br2 mirrors @rec
list mirror
del-port br0
del-port br0 br0
del-br br0
--no-wait add-br br9 -- del-br br9
list open .
emer-reset
show
`;

/** The words of each command line, in order. */
export const VSCTL_SCRIPT: readonly (readonly string[])[] = SCRIPT.slice(1, -1)
  .split('\n')
  .map((line) => words(line));

/** Splits a line into words as a shell without escapes and variables would. */
export function words(line: string): string[] {
  const found: string[] = [];
  for (const [word] of line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*"|["'])+/g)) {
    found.push(
      word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
    );
  }
  return found;
}
