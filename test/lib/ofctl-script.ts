/**
 * Command lines of ovs-ofctl, one a line, for the comparison of two of them. Words are split as `words` does; what
 * follows `<<<` is standard input, where `|` ends a line. A line that begins with the name of another tool is one of
 * that tool.
 */
import { words } from './vsctl-script.js';

/** A command line with its standard input. */
export interface ScriptLine {
  readonly words: readonly string[];
  readonly input: string;
}

/** Commands that need no switch. */
const OFFLINE = String.raw`
parse-flow actions=drop
parse-flow table=3,tcp,tp_dst=80,actions=mod_vlan_vid:5,output:1
parse-flow reg0=1,actions=drop
-F nxm parse-flow in_port=1,actions=drop
-O OpenFlow13 parse-flow in_port=1,actions=goto_table:3
-F openflow10 parse-flow reg0=1,actions=drop
-F oxm -O OpenFlow12 parse-flow ip,actions=drop
-F nosuch parse-flow actions=drop
-F "" parse-flow actions=drop
-O "" parse-flow actions=drop
-O OpenFlow13,OpenFlow14 parse-flow actions=drop
-F nxm -O OpenFlow13 parse-flow actions=drop
-m parse-flow actions=drop
parse-flow tcp
parse-flow 'tcp actions='
parse-flow nosuch=1,actions=drop
parse-flow in_port=nosuch,actions=drop
parse-flow nw_src=1.2.3.4,actions=drop
parse-flow importance=1,idle_timeout=2,hard_timeout=3,send_flow_rem,actions=drop
parse-flow cookie=5/3,actions=drop
parse-flow ipv6,ipv6_label=0x100005/0xfffff,actions=drop
parse-flow ipv6,ipv6_label=0x1000ff/0xffff,actions=drop
parse-flow priority=x,actions=drop
parse-flow priority=65536,actions=drop
parse-flow idle_timeout=65536,actions=drop
parse-flow table=255,actions=drop
parse-flow table=256,actions=drop
parse-flow check_overlap,reset_counts,no_packet_counts,no_byte_counts,actions=drop
parse-flow actions=output:1,nosuch
parse-flow duration=5s,n_packets=5,n_bytes=6,idle_age=5,hard_age=6,actions=drop
parse-flow
parse-flow a b
parse-flows - <<< actions=drop|in_port=1,actions=output:2|
parse-flows - <<< # comment||in_port=1,actions=output:2 # more|
parse-flows - <<< add in_port=1,actions=drop|delete tcp|modify_strict udp,actions=1|
parse-flows - <<< in_port=1,actions=drop|bad
parse-flows /nonexistent/flows
parse-flows - <<<
parse-group group_id=1,type=all,bucket=output:1
parse-group group_id=1,type=select,selection_method=hash,fields=ip_dst,bucket=weight:5,output:1,bucket=bucket_id:7,actions=output:2
parse-group group_id=1,type=select,selection_method=hash,fields(ip_dst,nw_proto=5),bucket=output:1
parse-group group_id=1,type=select,selection_method=hash,fields=eth_src=ff:ff:00:00:00:00,selection_method_param=5,bucket=output:1
parse-group group_id=1,type=ff,bucket=watch_port:1,output:2,bucket=watch_group:5,drop
parse-group group_id=1
parse-group type=all
parse-group group_id=1,type=nosuch
parse-group group_id=1,type=all,bucket=
parse-group group_id=all,type=all
parse-group group_id=0xfffffffc,type=all
parse-group group_id=0xfffffffd,type=all
parse-group group_id=4294967295,type=all
parse-group group_id=1,type=indirect,bucket=output:1,bucket=output:2
parse-group group_id=1,type=indirect
parse-group group_id=1,type=ff,bucket=output:1
parse-group group_id=1,type=all,bucket=weight:5,output:1
parse-group group_id=1,type=select,bucket=weight:0,output:1
parse-group group_id=1,type=all,nosuch=5
parse-group group_id=1,type=all,bucket=nosuch:5
parse-group group_id=x,type=all
parse-group group_id=1,type=all,command_bucket_id=5,bucket=output:1
parse-group group_id=1,type=all,selection_method=hash,bucket=output:1
parse-group group_id=1,type=select,selection_method=0123456789abcdef,bucket=output:1
parse-group group_id=1,type=select,fields=ip_src,bucket=output:1
parse-group group_id=1,type=select,selection_method_param=5,bucket=output:1
parse-group group_id=1,type=all,bucket=watch_port:nosuch,output:1
parse-group group_id=1,type=all,bucket=bucket_id=x,output:1
parse-group 'group_id=1 type=all bucket=output:1 bucket=2'
parse-group group_id=1,type=select,selection_method=hash,fields=nosuch,bucket=output:1
parse-group
-O OpenFlow11 parse-group group_id=1,type=all,bucket=output:1
-O OpenFlow15 parse-group group_id=1,type=all,bucket=output:1
add-group br0
add-meter br0 x
mod-table br0 1
bundle br0
parse-nxm <<< NXM_OF_IN_PORT(0001)|NXM_OF_ETH_TYPE(0800), NXM_OF_IP_SRC_W(c0a80000/ffff0000)|# comment||<any>|
parse-nx-match <<< NXM_OF_IN_PORT(0001)
-m parse-nxm <<< NXM_OF_IN_PORT(0001)|NXM_NX_REG0_W(00000001/0000000f)|
parse-nxm <<< NXM_OF_FOO(01)
parse-nxm <<< NXM_OF_IN_PORT(01)
parse-nxm <<< NXM_OF_IN_PORT(000100)
parse-nxm <<< NXM_OF_IN_PORT(0001
parse-nxm <<< NXM_OF_IN_PORT_W(0001/ffff)
parse-nxm <<< NXM_OF_IP_SRC_W(c0a80000)
parse-nxm <<< junk
parse-nxm <<< 00000002(0001)|NXM_OF_ETH_TYPE(0800),NXM_OF_IP_SRC_W(c0a80000 / ffff0000)
--strict parse-nxm <<< NXM_OF_TCP_SRC(0001)|NXM_OF_IN_PORT(0001),NXM_OF_IN_PORT(0002)|NXM_OF_ETH_TYPE(0800)
parse-nxm <<< NXM_NX_COOKIE(0000000000000001)|NXM_NX_COOKIE_W(0000000000000001/000000000000000f)|
parse-nxm <<< NXM_OF_IN_PORT(0001) NXM_OF_VLAN_TCI(0000)|NXM_OF_VLAN_TCI_W(1000/1000)|NXM_OF_VLAN_TCI(f123)
parse-oxm
parse-oxm OpenFlow10
parse-oxm OpenFlow12 <<< NXM_OF_IN_PORT(0001)|OXM_OF_METADATA(0000000000000001)|OXM_OF_IN_PORT(00000001)|
-m parse-oxm OpenFlow12 <<< OXM_OF_ETH_TYPE(86dd),OXM_OF_IPV6_SRC(fe800000000000000000000000000001)
-m parse-oxm OpenFlow15 <<< NXM_NX_REG0_W(00000001/0000000f)|NXM_NX_REG1(00000001)
parse-oxm OpenFlow13 <<< NXM_OF_ETH_TYPE(0806),NXM_OF_ARP_OP(0001),NXM_OF_ARP_SPA(c0a80001)
--strict parse-oxm OpenFlow13 <<< NXM_NX_COOKIE(0000000000000001)
parse-actions OpenFlow10 <<< 0000 0008 0001 0000|# comment|0000 0008 0002 ffff
parse-actions OpenFlow10 <<< 0000 0008 0001 00zz
parse-actions nosuch
parse-actions
parse-actions OpenFlow13 <<< 0000 0010 00000001 0000 000000000000
parse-instructions OpenFlow11 <<< 0004 0018 00000000 0000 0010 00000005 0000 000000000000|0001 0008 05 000000
parse-instructions OpenFlow13 <<< 0005 0008 00000000
parse-ofp10-match <<< 003820ff fffe 505400000005 505400000006 0005 00 00 0000 00 00 0000 00000000 00000000 0000 0000
parse-ofp10-match <<< 003820f0 0001 505400000005 505400000006 0005 00 00 0800 0006 0000 c0a80001 c0a80002 0000 0000
parse-ofp10-match <<< zz
parse-ofp10-match <<< 00
parse-ofp11-match <<< 0000 0058 00000003 000003f7 000000000000ffffffffffff 000000000000ffffffffffff 0000 00 00 0000 00 00 00000000ffffffff 00000000ffffffff 0000 0000 00000000 00 000000 0000000000000000ffffffffffffffff
parse-ofp11-match <<< 0000 0058 00000003 000003ff 000000000000ffffffffffff 000000000000ffffffffffff 0000 00 00 0000 00 00 00000000ffffffff 00000000ffffffff 0000 0000 00000000 00 000000 0000000000000000ffffffffffffffff
parse-ofp11-match <<< 00
check-vlan 0000 0000
check-vlan 0000 1000
check-vlan 1000 1000
check-vlan 1005 1fff
check-vlan 0000 ffff
check-vlan 1005 ffff
check-vlan f000 f000
check-vlan 2000 e000
check-vlan 0001 0001
check-vlan 0
print-error OFPBAC_BAD_TYPE
print-error OFPMMFC_INVALID_METER
print-error nosuch
encode-error-reply OFPBAC_BAD_TYPE 0105000800000001
encode-error-reply OFPBAC_BAD_TYPE 0505000800000001
encode-error-reply nosuch 0105000800000001
encode-error-reply OFPBAC_BAD_TYPE 0105
encode-error-reply OFPBAC_BAD_TYPE 01050008000000zz
encode-error-reply OFPBAC_BAD_TYPE
encode-hello 0x12
encode-hello 2
encode-hello 0x7e
encode-hello
parse-key-value 'a=b, c(d),e:f,g=(h,i)j k' x=1 ''
parse-key-value
compose-packet in_port=1,tcp,nw_src=1.2.3.4,tp_dst=80
compose-packet tcp
compose-packet icmp aabb
compose-packet icmp6,ipv6_src=fe80::1
compose-packet arp,arp_op=1,arp_spa=10.0.0.1
compose-packet dl_type=0x1234
compose-packet udp,dl_vlan=5,dl_vlan_pcp=3
compose-packet nosuch
compose-packet tcp zz
compose-packet
compose-packet a b c
parse-packet <<< 12345678901234567890
parse-pcap /nonexistent/file
parse-pcap /nonexistent/file /nonexistent/other
parse-pcap /nonexistent/file /dev/null
parse-pcap /dev/null /nonexistent/file
parse-pcap
ofp-parse-pcap /nonexistent/file
ofp-parse-pcap
ofp-print 0105000800000001
ofp-print "01 05 00 08 00 00 00 01" 5
ofp-print 010500080000000z
ofp-print 01
ofp-print ""

ofp-print 0102000900000001aa 2
ofp-print
ofp-parse /nonexistent/file
ofp-parse
diff-flows /nonexistent/a /nonexistent/b
nosuch

--nosuch
-q
--n
--no
--st
-P nosuch monitor br0
--sort=nosuch dump-flows br0
--color=nosuch dump-flows br0
--color=ALWAYS parse-flow actions=drop
--color=if-tty parse-flow actions=drop
--color= parse-flow actions=drop
-t ' +10' parse-flow actions=drop
-t '10 ' parse-flow actions=drop
--syslog-target=127.0.0.1:9 parse-flow actions=drop
--syslog-target=127.0.0.1:9 parse-flow in_port=1,nw_src=1.2.3.4,actions=drop
--syslog-target=127.0.0.1:9 --syslog-target=nosuch parse-flow actions=drop
--syslog-target=127.0.0.1:nosuch parse-flow actions=drop
--syslog-target=::1:9 parse-flow actions=drop
--syslog-method=udp:127.0.0.1:nosuch parse-flow actions=drop
--syslog-method=udp:127.0.0.1 parse-flow actions=drop
--user=nosuch --version
--user=nosuch nosuch
--user=:nosuch parse-flow actions=drop
--user=nobody:nosuch parse-flow actions=drop
--pidfile=/nonexistent/file --user=nosuch -O nosuch parse-flow actions=drop
--user=nobody parse-flow actions=drop
--user=nosuch monitor br0
-p /nonexistent/file -c /nonexistent/file -C /nonexistent/file parse-flow actions=drop
-p /dev/null -c /nonexistent/file -C /nonexistent/file parse-flow actions=drop
-c /dev/null -c /nonexistent/file -c /dev/null parse-flow actions=drop
-C /dev/null -C /nonexistent/file -C /dev/null -C /nonexistent/other parse-flow actions=drop
-p / -c / -C / parse-flow actions=drop
-p /nonexistent/file --ssl-ciphers=nosuch parse-flow actions=drop
-t x show br0
-O nosuch show br0
show br0
show tcp:127.0.0.1:1
show tcp:nosuch:1
show tcp:
show ssl:
show tcp::6653
show tcp:127.0.0.1:x
show ptcp:1
show unix:/nonexistent/socket
show ssl:127.0.0.1:1
show nosuch:1
show netdev@br0
probe br0
ping br0
benchmark br0 1 1
monitor br0
snoop br0
show
show a b
dump-flows
add-flow br0
add-flows br0
--read-only add-flow br0 actions=1
--read-only replace-flows br0 /nonexistent
--read-only diff-flows /nonexistent/a /nonexistent/b
--read-only set-frags br0 normal
add-flow br0 bad
add-flows br0 /nonexistent/file
replace-flows br0 /nonexistent/file
del-flows br0 bad=
dump-flows br0 priority=5
dump-aggregate br0 actions=5
list-commands
--help
--version
`;

function parseScript(text: string): ScriptLine[] {
  return text
    .slice(1, -1)
    .split('\n')
    .map((line) => {
      const at = line.indexOf('<<<');
      const command = words(at < 0 ? line : line.slice(0, at));
      const input =
        at < 0
          ? ''
          : line
              .slice(at + 3)
              .trimStart()
              .replaceAll('|', '\n');
      const other = command[0]?.startsWith('ovs-') ?? false;
      return { words: other ? command : ['ovs-ofctl', ...command], input };
    });
}

export const OFFLINE_SCRIPT = parseScript(OFFLINE);

/**
 * Commands on a bridge br0 with the dummy ports p1 (1), p2 (2) and "odd name" (3), each after the one before it.
 * `@V` stands for the name of a version: lines with it run once for each.
 */
const SWITCH = String.raw`
-O @V show br0
-O @V --names show br0
-O @V dump-desc br0
-O @V dump-tables br0
-O @V get-frags br0
-O @V set-frags br0 drop
-O @V get-frags br0
-O @V set-frags br0 normal
-O @V set-frags br0 reassemble
-O @V set-frags br0 nosuch
-O @V add-flow br0 in_port=1,actions=2
-O @V add-flow br0 in_port=p1,actions=p2
-O @V --no-names add-flow br0 in_port=p1,actions=p2
-O @V add-flow br0 'in_port="odd name",actions=output:"odd name"'
-O @V add-flow br0 in_port=nosuch,actions=2
-O @V add-flow br0 bad
-O @V add-flow br0 actions=nosuch
-O @V add-flow br0 table=254,actions=drop
-O @V add-flow br0 table=3,priority=7,tcp,tp_dst=80,actions=mod_vlan_vid:5,output:1
-O @V add-flow br0 cookie=0x5,idle_timeout=600,hard_timeout=6000,send_flow_rem,arp,actions=normal
-O @V add-flow br0 check_overlap,priority=7,ip,actions=1
-O @V add-flow br0 check_overlap,priority=7,tcp,actions=1
-O @V add-flow br0 reg0=1/3,tun_id=5,actions=load:5->NXM_NX_REG0[0..7],resubmit(,4)
-O @V add-flow br0 ipv6,ipv6_src=fe80::/64,actions=controller:100
-O @V add-flow br0 actions=group:77
-O @V add-flow br0 ip,actions=ct(commit,zone=1,exec(set_field:1->ct_mark)),in_port
-O @V add-flow br0 metadata=5,actions=goto_table:7
-O @V add-flow br0 dl_vlan=5,dl_vlan_pcp=3,actions=strip_vlan,local
-O @V add-flow br0 -  <<< udp,actions=drop|sctp,actions=1|
-O @V add-flows br0 - <<< # comment|add icmp,actions=drop|modify in_port=1,actions=1|delete udp|modify_strict priority=9,sctp,actions=2|delete_strict sctp|
-O @V add-flows br0 - <<< udp,actions=drop|actions=group:78|sctp,actions=1|
-O @V add-flows br0 - <<< udp,actions=drop|bad
-O @V dump-flows br0
-O @V --names dump-flows br0
-O @V --no-names dump-flows br0
-O @V --no-stats dump-flows br0
-O @V --no-stats --names dump-flows br0
-O @V --sort dump-flows br0
-O @V --rsort dump-flows br0
-O @V --sort=in_port --rsort=tp_dst --no-stats dump-flows br0
-O @V --sort=tcp_dst --names dump-flows br0
-O @V -m dump-flows br0
-O @V -m -m dump-flows br0
-O @V dump-flows br0 tcp
-O @V dump-flows br0 table=3
-O @V dump-flows br0 table=nosuch
-O @V dump-flows br0 out_port=2
-O @V dump-flows br0 out_port=p2
-O @V dump-flows br0 out_group=5
-O @V dump-flows br0 cookie=5/-1
-O @V dump-flows br0 cookie=5
-O @V dump-flows br0 in_port=p1,arp
-O @V dump-flows br0 actions=1
-O @V dump-flows br0 table=3,reg0=1
-O @V dump-flows nobr
-O @V dump-aggregate br0
-O @V dump-aggregate br0 tcp
-O @V dump-aggregate br0 table=3
-O @V mod-flows br0 in_port=1,actions=2
-O @V --strict mod-flows br0 priority=8,tcp,actions=2
-O @V mod-flows br0 cookie=5/-1,cookie=6,actions=1
-O @V mod-flows br0 cookie=7,table=3,actions=1
-O @V mod-flows br0 - <<< in_port=1,actions=2|in_port=3,actions=3|
-O @V mod-flows br0 in_port=1
-O @V --sort --no-stats dump-flows br0
-O @V diff-flows br0 br0
-O @V del-flows br0 cookie=6/-1
-O @V del-flows br0 cookie=6
-O @V del-flows br0 table=3,tcp
-O @V del-flows br0 out_port=2
-O @V del-flows br0 in_port=1,out_port=1
-O @V --strict del-flows br0 priority=7,ip
-O @V --strict del-flows br0 ip
-O @V del-flows br0 actions=1
-O @V del-flows br0 - <<< arp|icmp|
-O @V del-flows br0 priority=7,ip
-O @V --no-stats dump-flows br0
-O @V replace-flows br0 - <<< in_port=1,actions=2|in_port=2,actions=1|priority=5,tcp,actions=normal|cookie=5,arp,actions=2|
-O @V --no-stats --sort dump-flows br0
-O @V replace-flows br0 - <<< in_port=1,actions=2|in_port=2,actions=3|udp,idle_timeout=600,actions=normal|cookie=6,arp,actions=2|priority=1,vlan_tci=0x1/0x1,actions=1|
-O @V --no-stats --sort dump-flows br0
-O @V --readd replace-flows br0 - <<< in_port=1,actions=2|
-O @V -vvconn --readd replace-flows br0 - <<< in_port=1,check_overlap,reset_counts,no_packet_counts,no_byte_counts,send_flow_rem,actions=2|
-O @V replace-flows br0 - <<< in_port=1,actions=group:77|
-O @V replace-flows br0 - <<< bad
-O @V --no-stats dump-flows br0
-O @V diff-flows br0 /dev/null
-O @V --names diff-flows /dev/null br0
-O @V diff-flows br0 /nonexistent
-O @V diff-flows br0 nobr
-O @V del-flows br0
-O @V dump-flows br0
-O @V dump-ports br0
-O @V dump-ports br0 p1
-O @V dump-ports br0 2
-O @V dump-ports br0 LOCAL
-O @V dump-ports br0 "odd name"
-O @V dump-ports br0 nosuch
-O @V dump-ports br0 77
-O @V --names dump-ports br0 p1
-O @V dump-ports-desc br0
-O @V dump-ports-desc br0 p1
-O @V dump-ports-desc br0 2
-O @V dump-ports-desc br0 ANY
-O @V dump-ports-desc br0 nosuch
-O @V --names dump-ports-desc br0
-O @V mod-port br0 p1 down
-O @V dump-ports-desc br0
-O @V mod-port br0 1 up
-O @V mod-port br0 p1 no-flood
-O @V mod-port br0 p1 no-forward
-O @V mod-port br0 p1 no-packet-in
-O @V mod-port br0 p1 no-receive
-O @V mod-port br0 p1 no-receive-stp
-O @V mod-port br0 p1 no-stp
-O @V dump-ports-desc br0
-O @V mod-port br0 p1 flood
-O @V mod-port br0 p1 forward
-O @V mod-port br0 p1 packet-in
-O @V mod-port br0 p1 receive
-O @V mod-port br0 p1 receive-stp
-O @V mod-port br0 p1 stp
-O @V mod-port br0 LOCAL up
-O @V mod-port br0 p1 nosuch
-O @V mod-port br0 p1 no-up
-O @V mod-port br0 p1 noflood
-O @V mod-port br0 nosuch up
-O @V mod-port br0 77 up
-O @V dump-ports-desc br0
-O @V queue-stats br0
-O @V queue-stats br0 p1
-O @V queue-stats br0 p1 5
-O @V queue-stats br0 ALL ALL
-O @V queue-stats br0 nosuch
-O @V packet-out br0 "in_port=1 packet=505400000007505400000005080000 actions=2"
-O @V packet-out br0 "in_port=p1 packet=505400000007505400000005080000 actions=p2"
-O @V packet-out br0 "in_port=controller packet=505400000007505400000005080000 actions=normal"
-O @V packet-out br0 "in_port=1 metadata=5 packet=505400000007505400000005080000 actions=2"
-O @V packet-out br0 "packet=505400000007505400000005080000 actions=2"
-O @V packet-out br0 "in_port=1 packet=5054 actions=2"
-O @V packet-out br0 "in_port=1 packet=505400000007505400000005080000"
-O @V packet-out br0 "in_port=1 packet=505400000007505400000005080000 actions=group:77"
-O @V packet-out br0 "in_port=1 actions=2"
-O @V packet-out br0 "in_port=nosuch packet=505400000007505400000005080000 actions=2"
-O @V packet-out br0 "nosuch=1 packet=505400000007505400000005080000 actions=2"
-O @V packet-out br0 1 2 505400000007505400000005080000
-O @V packet-out br0 p1 p2 505400000007505400000005080000 505400000007505400000005080001
-O @V packet-out br0 none normal 505400000007505400000005080000
-O @V packet-out br0 1 nosuch 505400000007505400000005080000
-O @V packet-out br0 1 2 5054
-O @V packet-out br0 1 2
-O @V probe br0
-O @V ping br0 10
-O @V ping br0
-O @V benchmark br0 10 5
-O @V benchmark br0 10 0
-O @V add-group br0 group_id=1,type=all,bucket=output:1
-O @V add-group br0 group_id=2,type=select,bucket=weight:5,output:1,bucket=output:p2
-O @V add-group br0 group_id=2,type=select,bucket=output:1
-O @V add-group br0 group_id=3,type=ff,bucket=watch_port:p1,output:2,bucket=watch_group:1,drop
-O @V add-group br0 group_id=4,type=indirect,bucket=output:1
-O @V add-group br0 group_id=5,type=select,selection_method=hash,fields=ip_dst,bucket=output:1
-O @V add-group br0 group_id=6,type=all,bucket=actions=set_field:1->reg0,resubmit(,3)
-O @V add-group br0 bad
-O @V add-group br0 group_id=9
-O @V add-group br0 - <<< group_id=10,type=all|# comment|group_id=11,type=all,bucket=drop
-O @V add-groups br0 - <<< group_id=12,type=all|modify group_id=10,type=indirect,bucket=output:1|add_or_mod group_id=13,type=all|delete group_id=11|
-O @V add-groups br0 - <<< group_id=12,type=all|
-O @V add-groups br0 - <<< insert_bucket group_id=10,command_bucket_id=last,bucket=bucket_id:5,output:1|
-O @V dump-groups br0
-O @V --names dump-groups br0
-O @V -m dump-groups br0
-O @V dump-groups br0 2
-O @V dump-groups br0 ALL
-O @V dump-groups br0 nosuch
-O @V dump-group-stats br0
-O @V dump-group-stats br0 group_id=2
-O @V dump-group-stats br0 group_id=99
-O @V dump-group-stats br0 2
-O @V dump-group-features br0
-O @V mod-group br0 group_id=1,type=all,bucket=output:2
-O @V mod-group br0 group_id=99,type=all
-O @V --may-create mod-group br0 group_id=98,type=all
-O @V insert-buckets br0 group_id=2,command_bucket_id=last,bucket=bucket_id:7,output:3
-O @V insert-buckets br0 group_id=2,bucket=output:3
-O @V insert-buckets br0 group_id=2,command_bucket_id=last,bucket=bucket_id:8,weight:3,output:3
-O @V insert-buckets br0 group_id=2,command_bucket_id=-1,bucket=output:3
-O @V insert-buckets br0 group_id=2,command_bucket_id=-3,bucket=bucket_id:9,output:3
-O @V dump-groups nobr nosuch
-O @V remove-buckets br0 group_id=2,command_bucket_id=7
-O @V remove-buckets br0 group_id=2
-O @V dump-groups br0
-O @V add-flow br0 in_port=1,actions=group:1
-O @V dump-flows br0 out_group=1
-O @V del-groups br0 group_id=1
-O @V del-groups br0 group_id=1,type=all
-O @V del-groups br0 2
-O @V del-groups br0 - <<< group_id=2|group_id=3|
-O @V dump-groups br0
-O @V --bundle add-groups br0 - <<< group_id=50,type=all|group_id=51,type=all,bucket=output:1|
-O @V --bundle add-groups br0 - <<< group_id=52,type=all|group_id=50,type=all|
-O @V del-groups br0
-O @V dump-groups br0
-O @V add-meter br0 meter=1,kbps,burst,stats,bands=type=drop,rate=100,burst_size=50
-O @V add-meter br0 meter=2,pktps,band=type=drop,rate=5
-O @V add-meter br0 meter=2,pktps,band=type=drop,rate=5
-O @V add-meter br0 meter=3,kbps,bands=type=dscp_remark,rate=10,prec_level=14
-O @V add-meter br0 meter=4,kbps,bands=type=drop,rate=1,type=drop,rate=2
-O @V add-meter br0 meter=5,kbps
-O @V dump-meters br0
-O @V dump-meter br0 meter=1
-O @V dump-meters br0 1
-O @V meter-stats br0
-O @V meter-stats br0 meter=1
-O @V meter-stats br0 meter=99
-O @V meter-features br0
-O @V mod-meter br0 meter=1,pktps,bands=type=drop,rate=7
-O @V mod-meter br0 meter=99,pktps,bands=type=drop,rate=7
-O @V add-flow br0 in_port=1,actions=meter:1,output:2
-O @V del-meter br0 meter=1
-O @V del-meters br0
-O @V dump-meters br0
-O @V dump-table-features br0
-O @V dump-table-desc br0
-O @V mod-table br0 3 drop
-O @V mod-table br0 3 evict
-O @V mod-table br0 3 vacancy:20,80
-O @V mod-table br0 3 noevict
-O @V mod-table br0 3 novacancy
-O @V mod-table br0 3 name:foo
-O @V --names dump-flows br0 table=foo
-O @V mod-table br0 foo name:
-O @V mod-table br0 3 nosuch
-O @V mod-table br0 nosuch drop
-O @V mod-table br0 all name:foo
-O @V mod-table br0 254 name:foo
-O @V,OpenFlow11 mod-table br0 0 drop
-O @V,OpenFlow14 mod-table br0 0 drop
-O @V queue-get-config br0
-O @V queue-get-config br0 p1
-O @V queue-get-config br0 1 3
-O @V queue-get-config br0 ALL ANY
-O @V queue-get-config br0 ALL ALL
-O @V queue-get-config br0 nosuch
-O @V add-tlv-map br0 '{class=0xffff,type=0,len=4}->tun_metadata0,{class=0xffff,type=1,len=8}->tun_metadata1'
-O @V add-tlv-map br0 '{class=0xffff,type=0,len=4}->tun_metadata0'
-O @V dump-tlv-map br0
-O @V del-tlv-map br0 '{class=0xffff,type=0,len=4}->tun_metadata0'
-O @V del-tlv-map br0
-O @V dump-tlv-map br0
-O @V add-tlv-map br0 bad
-O @V dump-ipfix-bridge br0
-O @V dump-ipfix-flow br0
-O @V ct-flush-zone br0 5
-O @V ct-flush-zone br0 nosuch
-O @V ct-flush br0
-O @V ct-flush br0 zone=5
-O @V ct-flush br0 zone=5 ct_nw_src=10.0.0.1,ct_nw_proto=6 ct_nw_dst=10.0.0.2
-O @V ct-flush br0 zone=x
-O @V ct-flush br0 ct_nw_src=10.0.0.1 '' nosuch
-O @V ct-flush br0 '' nosuch nosuch
-O @V ct-flush br0 bad
-O @V ct-flush br0 '' ct_ipv6_src=::1
-O @V --bundle add-flow br0 in_port=1,actions=2
-O @V --bundle add-flows br0 - <<< in_port=2,actions=1|delete in_port=1|
-O @V --bundle add-flows br0 - <<< in_port=3,actions=1|actions=group:77|actions=3|
-O @V --bundle mod-flows br0 in_port=2,actions=3
-O @V --bundle replace-flows br0 - <<< tcp,actions=drop|udp,actions=1|
-O @V --bundle --no-stats dump-flows br0
-O @V --bundle del-flows br0
-O @V bundle br0 - <<< flow add in_port=1,actions=2|flow in_port=2,actions=1|group group_id=1,type=all|group add group_id=2,type=all|packet-out in_port=1 packet=505400000007505400000005080000 actions=2|flow delete in_port=2|
-O @V bundle br0 - <<< flow in_port=3,actions=2|group group_id=1,type=all|
-O @V bundle br0 - <<< nosuch in_port=3,actions=2
-O @V bundle br0 - <<< flow bad
-O @V bundle br0 /nonexistent/file
-O @V --no-stats dump-flows br0
-O @V --bundle del-groups br0
-O @V --bundle del-flows br0
-F nxm dump-flows br0
-F openflow10 dump-flows br0
-F openflow10-table_id dump-flows br0
-F nxm-table_id dump-flows br0
-F oxm dump-flows br0
-F openflow10 -O OpenFlow10,OpenFlow13 dump-flows br0
-F openflow10-table_id add-flow br0 table=3,actions=drop
-F nxm-table_id add-flow br0 table=3,actions=drop
-F nxm add-flow br0 in_port=1,actions=drop
-F openflow10 add-flow br0 reg0=1,actions=drop
-F oxm -O OpenFlow13 add-flow br0 in_port=1,actions=drop
-O OpenFlow10,OpenFlow12,OpenFlow15 show br0
-O OpenFlow10,OpenFlow12,OpenFlow15 dump-flows br0
-O OpenFlow10 add-flow br0 table=5,goto_table:3,actions=drop
-O OpenFlow12 add-flow br0 actions=meter:1
-O OpenFlow10,OpenFlow11,OpenFlow12 --read-only dump-flows br0
--read-only -O OpenFlow13 set-frags br0 normal
--strict dump-flows br0
--sort=priority dump-flows br0
--sort=nosuch dump-flows br0
--timestamp dump-flows br0
show unix:RUNDIR/br0.mgmt
show RUNDIR/br0.mgmt
dump-flows dummy@br0
show ovs-dummy
`;

/** Versions that a script is run for. */
export const VERSIONS = [
  'OpenFlow10',
  'OpenFlow11',
  'OpenFlow12',
  'OpenFlow13',
  'OpenFlow14',
  'OpenFlow15',
] as const;

const SWITCH_LINES = SWITCH.slice(1, -1).split('\n');

/** The lines for one version. */
export function versionScript(version: (typeof VERSIONS)[number]): ScriptLine[] {
  // Known difference: in 1.1 the peer repeats the actions of a table that has the same as the one before it.
  const skipped = version === 'OpenFlow11' ? 'dump-tables' : undefined;
  const lines = SWITCH_LINES.filter((line) => line.includes('@V') && !line.includes(skipped ?? '\n'));
  return parseScript(`\n${lines.join('\n')}\n`.replaceAll('@V', version));
}

/** The lines that choose versions themselves, or none. */
export const OTHER_SCRIPT: readonly ScriptLine[] = parseScript(
  `\n${SWITCH_LINES.filter((line) => !line.includes('@V')).join('\n')}\n`,
);
