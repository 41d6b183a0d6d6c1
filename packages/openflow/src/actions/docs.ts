/**
 * What each action and instruction is, in a sentence, and how it is written (ovs-actions(7)).
 * `docs/openflow-fields.md` is made of this and the action table.
 */
import type { ActionType } from './types.js';

export interface ActionDoc {
  readonly syntax: readonly string[];
  readonly doc: string;
}

const of = (doc: string, ...syntax: string[]): ActionDoc => ({ doc, syntax });

export const ACTION_DOCS: { readonly [T in ActionType]: ActionDoc } = {
  output: of(
    'Sends the packet to a port, but not back where it came from unless IN_PORT says so.',
    'PORT',
    'output:PORT',
  ),
  output_reg: of('Sends the packet to the port whose number a field holds.', 'output:FIELD[A..B]'),
  output_trunc: of('Sends the first bytes of the packet to a port.', 'output(port=PORT,max_len=N)'),
  controller: of(
    'Sends the packet to controllers, with a reason, data of their own, and a way to go on.',
    'controller',
    'controller:MAX_LEN',
    'controller(max_len=N,reason=REASON,id=ID,userdata=HEX,pause,meter_id=N)',
  ),
  enqueue: of('Sends the packet by a queue of a port.', 'enqueue:PORT:QUEUE', 'enqueue(PORT,QUEUE)'),
  group: of('Hands the packet to a group.', 'group:N'),
  bundle: of(
    'Sends the packet to one of several ports, chosen by a hash among those that are up.',
    'bundle(FIELDS,BASIS,ALGORITHM,ofport,members:PORT,…)',
  ),
  bundle_load: of(
    'Chooses as `bundle` does, and puts the number of the port into a field.',
    'bundle_load(FIELDS,BASIS,ALGORITHM,ofport,FIELD[A..B],members:PORT,…)',
  ),
  multipath: of(
    'Chooses one of N links by a hash, and puts its number into a field.',
    'multipath(FIELDS,BASIS,ALGORITHM,N,ARG,FIELD[A..B])',
  ),
  set_queue: of('Says which queue later outputs use.', 'set_queue:N'),
  pop_queue: of('Goes back to the queue from before `set_queue`.', 'pop_queue'),
  strip_vlan: of('Removes the outer VLAN tag, if there is one.', 'strip_vlan', 'pop_vlan'),
  push_vlan: of('Adds a VLAN tag in front of those that are there.', 'push_vlan:0x8100', 'push_vlan:0x88a8'),
  set_vlan_vid: of(
    'Sets the VLAN id; the `mod` form adds a tag where there is none.',
    'set_vlan_vid:VID',
    'mod_vlan_vid:VID',
  ),
  set_vlan_pcp: of(
    'Sets the VLAN priority; the `mod` form adds a tag where there is none.',
    'set_vlan_pcp:PCP',
    'mod_vlan_pcp:PCP',
  ),
  set_eth_src: of('Sets the Ethernet source.', 'mod_dl_src:MAC'),
  set_eth_dst: of('Sets the Ethernet destination.', 'mod_dl_dst:MAC'),
  set_ipv4_src: of('Sets the IPv4 source.', 'mod_nw_src:IP'),
  set_ipv4_dst: of('Sets the IPv4 destination.', 'mod_nw_dst:IP'),
  set_ip_dscp: of('Sets the DSCP bits of type of service or traffic class.', 'mod_nw_tos:TOS'),
  set_ip_ecn: of('Sets the ECN bits of type of service or traffic class.', 'mod_nw_ecn:ECN'),
  set_ip_ttl: of('Sets time to live, or the hop limit.', 'mod_nw_ttl:TTL', 'set_nw_ttl:TTL'),
  set_l4_src_port: of('Sets the source port of TCP, UDP or SCTP.', 'mod_tp_src:PORT'),
  set_l4_dst_port: of('Sets the destination port of TCP, UDP or SCTP.', 'mod_tp_dst:PORT'),
  dec_ttl: of(
    'Takes one off time to live; where it runs out, controllers hear of it.',
    'dec_ttl',
    'dec_ttl(ID,…)',
  ),
  push_mpls: of('Adds an MPLS entry in front.', 'push_mpls:0x8847', 'push_mpls:0x8848'),
  pop_mpls: of('Removes the outermost MPLS entry, and says what the packet is then.', 'pop_mpls:ETHERTYPE'),
  set_mpls_label: of('Sets the label of the outermost MPLS entry.', 'set_mpls_label:LABEL'),
  set_mpls_tc: of('Sets the traffic class of the outermost MPLS entry.', 'set_mpls_tc:TC'),
  set_mpls_ttl: of('Sets time to live of the outermost MPLS entry.', 'set_mpls_ttl:TTL'),
  dec_mpls_ttl: of('Takes one off time to live of the outermost MPLS entry.', 'dec_mpls_ttl'),
  set_tunnel: of(
    'Sets the key of the tunnel that the packet will go by.',
    'set_tunnel:ID',
    'set_tunnel64:ID',
  ),
  set_field: of(
    'Sets a field, or bits of it, to a value.',
    'set_field:VALUE[/MASK]->FIELD',
    'load:VALUE->FIELD[A..B]',
  ),
  move: of('Copies bits of one field to another.', 'move:FIELD[A..B]->FIELD[C..D]'),
  push: of('Puts bits of a field onto a stack.', 'push:FIELD[A..B]'),
  pop: of('Takes bits of a field from the stack.', 'pop:FIELD[A..B]'),
  delete_field: of('Removes a tunnel option from the packet to be.', 'delete_field:FIELD'),
  encap: of(
    'Puts another header in front, which changes the type of the packet.',
    'encap(nsh(md_type=N,tlv(CLASS,TYPE,VALUE)))',
    'encap(ethernet)',
    'encap(mpls)',
    'encap(mpls_mc)',
  ),
  decap: of('Takes the outermost header off.', 'decap()', 'decap(packet_type(ns=NS,type=TYPE))'),
  dec_nsh_ttl: of('Takes one off time to live of the network service header.', 'dec_nsh_ttl'),
  sample: of(
    'Hands a share of the packets to a set of IPFIX collectors.',
    'sample(probability=N,collector_set_id=ID,obs_domain_id=ID,obs_point_id=ID,sampling_port=PORT,ingress|egress)',
  ),
  check_pkt_larger: of(
    'Puts into a bit whether the packet is longer than that.',
    'check_pkt_larger(N)->FIELD[BIT]',
  ),
  debug_recirc: of('For tests: makes the packet go through the datapath once more.', 'debug_recirc'),
  debug_slow: of('For tests: makes packets of the flow go through the switch daemon.', 'debug_slow'),
  resubmit: of(
    'Looks the packet up in a table, does what the flow there says, and comes back.',
    'resubmit:PORT',
    'resubmit([PORT],[TABLE][,ct])',
  ),
  note: of('Does nothing, and keeps bytes with the flow.', 'note:HEX'),
  exit: of('Ends the actions of the packet.', 'exit'),
  fin_timeout: of(
    'Shortens the time-outs of the flow when a TCP packet ends its connection.',
    'fin_timeout(idle_timeout=N,hard_timeout=N)',
  ),
  conjunction: of('Counts the flow as clause K of N of a conjunctive match.', 'conjunction(ID,K/N)'),
  ct: of(
    'Sends the packet through connection tracking, and may keep or translate its connection.',
    'ct(commit,force,zone=N,table=N,nat(…),exec(ACTION,…),alg=NAME)',
  ),
  nat: of(
    'Inside of `ct`: translates addresses and ports of the connection.',
    'nat',
    'nat(src|dst[=ADDRESS[-ADDRESS][:PORT[-PORT]]],persistent,hash|random)',
  ),
  ct_clear: of('Forgets what connection tracking said of the packet.', 'ct_clear'),
  clone: of('Does actions to a copy of the packet, and goes on with the original.', 'clone(ACTION,…)'),
  learn: of(
    'Adds a flow made of this packet, or changes the one that is there.',
    'learn(table=N,…,FIELD=VALUE,FIELD[A..B]=FIELD[C..D],load:VALUE->FIELD,output:FIELD)',
  ),
  meter: of('Measures the packet against a meter, which may drop it.', 'meter:N'),
  clear_actions: of('Empties the action set.', 'clear_actions'),
  write_actions: of(
    'Adds actions to the action set, which is done at the end of the pipeline.',
    'write_actions(ACTION,…)',
  ),
  write_metadata: of('Sets bits of the metadata field.', 'write_metadata:VALUE[/MASK]'),
  goto_table: of('Goes on with a later table, and does not come back.', 'goto_table:N'),
};
