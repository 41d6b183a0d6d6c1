// node scripts/record-openflow-fields.mjs: writes packages/openflow/test/fixtures/fields-actions.tsv, flows and bytes,
// good and bad, for each field, action and instruction, with what the peer makes of each. It needs the peer; what is
// written is what it said. test/fields-actions.test.ts fails for a row that has none.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const load = (path) => import(join(root, 'packages', path));
const { FIELDS } = await load('flow/dist/src/fields.js');
const { ACTIONS } = await load('openflow/dist/src/actions/table.js');
const { fieldCode, putFieldHeader } = await load('openflow/dist/src/match/headers.js');
const { VERSIONS } = await load('openflow/dist/src/version.js');
const { Writer } = await load('openflow/dist/src/wire.js');
const { peerTexts } = await load('openflow/dist/test/lib/peer-print.js');
const { quietParsers } = await load('openflow/dist/test/lib/quiet.js');

quietParsers();

const dir = mkdtempSync(join(tmpdir(), 'fields-actions-'));
const file = join(dir, 'flows');
const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** What a match must have beside a field. */
const PREREQS = {
  none: '',
  ethernet: '',
  arp: 'arp',
  vlan: 'dl_vlan=5',
  ipv4: 'ip',
  ipv6: 'ipv6',
  ip: 'ip',
  nsh: 'dl_type=0x894f',
  ct: 'ct_state=+trk+est,ip',
  mpls: 'mpls',
  tcp: 'tcp',
  udp: 'udp',
  sctp: 'sctp',
  icmpv4: 'icmp',
  icmpv6: 'icmp6',
  nd: 'icmp6,icmp_type=135,icmp_code=0',
  nd_solicit: 'icmp6,icmp_type=135,icmp_code=0',
  nd_advert: 'icmp6,icmp_type=136,icmp_code=0',
};
/** And for fields that ask for more than their row says. */
const PREREQS_OF = {
  ct_nw_proto: 'ct_state=+trk+est,ip',
  ct_ipv6_src: 'ct_state=+trk+est,ipv6',
  ct_ipv6_dst: 'ct_state=+trk+est,ipv6',
  ct_tp_src: 'ct_state=+trk+est,ct_nw_proto=6,ip',
  ct_tp_dst: 'ct_state=+trk+est,ct_nw_proto=6,ip',
  nsh_c1: 'dl_type=0x894f,nsh_mdtype=1',
  nsh_c2: 'dl_type=0x894f,nsh_mdtype=1',
  nsh_c3: 'dl_type=0x894f,nsh_mdtype=1',
  nsh_c4: 'dl_type=0x894f,nsh_mdtype=1',
};
/** A value of each format. */
const VALUES = {
  decimal: '1',
  hexadecimal: '0x1',
  ct_state: '+trk+est',
  ethernet: '02:00:00:00:00:01',
  ipv4: '10.0.0.1',
  ipv6: 'fe80::1',
  port: '1',
  port_oxm: '1',
  frag: 'later',
  tnl_flags: '+oam',
  tcp_flags: '+syn',
  packet_type: '(1,0x800)',
};
/** And of fields for which that is none. */
const VALUES_OF = {
  vlan_tci: '0x1005',
  vlan_vid: '0x1005/0x1fff',
  eth_type: '0x800',
  nsh_mdtype: '1',
  nw_tos: '32',
  nd_reserved: '2147483648',
};

/** Flows with each action, good and bad. */
const TEXTS = {
  output: [
    ['output:1', '1', 'output(port=1)'],
    ['output:bogus', 'output:70000000000', 'output(bogus=1)'],
  ],
  output_reg: [
    ['output:NXM_NX_REG0[]', 'output:reg1[0..15]'],
    ['output:NXM_NX_REG0[0..32]', 'output:reg0[5..1]'],
  ],
  output_trunc: [
    ['output(port=1,max_len=100)'],
    ['output(port=1,max_len=1)', 'output(max_len=100)', 'output(port=all,max_len=100)'],
  ],
  controller: [
    [
      'controller:128',
      'controller(reason=invalid_ttl,max_len=100,id=7)',
      'controller(userdata=01.02.03,pause,meter_id=9)',
    ],
    ['controller(reason=bogus)', 'controller(bogus=1)', 'controller(max_len=100000)'],
  ],
  enqueue: [
    ['enqueue:3:5', 'enqueue(3,5)'],
    ['enqueue:3', 'enqueue:bogus:5'],
  ],
  group: [['group:5'], ['group:bogus', 'group:4294967296']],
  set_queue: [['set_queue:5'], ['set_queue:bogus']],
  pop_queue: [['pop_queue', 'set_queue:5,pop_queue'], ['ct(commit,exec(pop_queue))']],
  strip_vlan: [['strip_vlan'], ['ct(commit,exec(strip_vlan))'], 'dl_vlan=5'],
  push_vlan: [
    ['push_vlan:0x8100', 'push_vlan:0x88a8'],
    ['push_vlan:0x800', 'push_vlan:bogus'],
  ],
  set_vlan_vid: [
    ['mod_vlan_vid:5', 'set_vlan_vid:5'],
    ['mod_vlan_vid:4096', 'set_vlan_vid:bogus'],
    'dl_vlan=7',
  ],
  set_vlan_pcp: [['mod_vlan_pcp:3', 'set_vlan_pcp:3'], ['mod_vlan_pcp:8', 'set_vlan_pcp:bogus'], 'dl_vlan=7'],
  set_eth_src: [['mod_dl_src:02:00:00:00:00:01'], ['mod_dl_src:bogus', 'mod_dl_src:02:00']],
  set_eth_dst: [['mod_dl_dst:02:00:00:00:00:01'], ['mod_dl_dst:bogus', 'mod_dl_dst:02:00']],
  set_ipv4_src: [['mod_nw_src:10.0.0.1'], ['mod_nw_src:10.0.0', 'mod_nw_src:bogus'], 'ip'],
  set_ipv4_dst: [['mod_nw_dst:10.0.0.1'], ['mod_nw_dst:10.0.0', 'mod_nw_dst:bogus'], 'ip'],
  set_ip_dscp: [['mod_nw_tos:32'], ['mod_nw_tos:33', 'mod_nw_tos:bogus'], 'ip'],
  set_ip_ecn: [['mod_nw_ecn:2'], ['mod_nw_ecn:4', 'mod_nw_ecn:bogus'], 'ip'],
  set_ip_ttl: [['mod_nw_ttl:5', 'set_nw_ttl:5'], ['mod_nw_ttl:256', 'mod_nw_ttl:bogus'], 'ip'],
  set_l4_src_port: [['mod_tp_src:80'], ['mod_tp_src:65536', 'mod_tp_src:bogus'], 'tcp'],
  set_l4_dst_port: [['mod_tp_dst:80'], ['mod_tp_dst:65536', 'mod_tp_dst:bogus'], 'tcp'],
  dec_ttl: [['dec_ttl', 'dec_ttl(1,2,3)'], ['ct(commit,exec(dec_ttl))'], 'ip'],
  push_mpls: [['push_mpls:0x8847'], ['push_mpls:0x800', 'push_mpls:bogus']],
  pop_mpls: [['pop_mpls:0x800'], ['pop_mpls:bogus', 'pop_mpls:65536'], 'mpls'],
  set_mpls_label: [['set_mpls_label:5'], ['set_mpls_label:', 'set_mpls_label:1048576'], 'mpls'],
  set_mpls_tc: [['set_mpls_tc:3'], ['set_mpls_tc:8', 'set_mpls_tc:bogus'], 'mpls'],
  set_mpls_ttl: [['set_mpls_ttl:9'], ['set_mpls_ttl:256', 'set_mpls_ttl:bogus'], 'mpls'],
  dec_mpls_ttl: [['dec_mpls_ttl'], ['ct(commit,exec(dec_mpls_ttl))'], 'mpls'],
  set_tunnel: [
    ['set_tunnel:5', 'set_tunnel64:0x123456789a'],
    ['set_tunnel:bogus', 'set_tunnel64:bogus'],
  ],
  delete_field: [['delete_field:tun_metadata3'], ['delete_field:bogus', 'delete_field:reg0']],
  set_field: [
    ['set_field:02:00:00:00:00:01->eth_src', 'set_field:5/7->reg3', 'load:5->NXM_NX_REG0[]'],
    ['set_field:bogus->reg0', 'set_field:1->bogus', 'load:9->NXM_NX_REG0[0..2]', 'set_field:1->tcp_dst'],
  ],
  move: [
    ['move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]'],
    ['move:NXM_NX_REG0[0..3]->NXM_NX_REG1[0..4]', 'move:NXM_NX_REG0[]', 'move:reg0[]->bogus[]'],
  ],
  push: [['push:NXM_NX_REG0[0..5]'], ['push:bogus', 'push:NXM_NX_REG0[0..32]']],
  pop: [['pop:NXM_NX_REG1[1..6]'], ['pop:bogus', 'pop:NXM_NX_REG0[0..32]']],
  resubmit: [
    ['resubmit:5', 'resubmit(6,7)', 'resubmit(,8,ct)'],
    ['resubmit(,)', 'resubmit:bogus', 'resubmit(,1,bogus)'],
    'ct_state=+trk+est,tcp',
  ],
  clone: [
    ['clone(output:1)', 'clone(clone(output:3))'],
    ['clone(bogus)', 'clone(output:bogus)'],
  ],
  exit: [['exit'], ['ct(commit,exec(exit))']],
  note: [
    ['note:00.01.02', 'note:'],
    ['note:bogus', 'note:0x'],
  ],
  debug_recirc: [['debug_recirc'], ['ct(commit,exec(debug_recirc))']],
  debug_slow: [['debug_slow'], ['ct(commit,exec(debug_slow))']],
  fin_timeout: [
    ['fin_timeout(idle_timeout=5,hard_timeout=7)'],
    ['fin_timeout(bogus=5)', 'fin_timeout(idle_timeout=65536)'],
    'tcp',
  ],
  conjunction: [['conjunction(7,2/3)'], ['conjunction(7,4/3)', 'conjunction(7,1/1)', 'conjunction(7)']],
  ct: [
    ['ct', 'ct(commit,zone=5,exec(load:1->NXM_NX_CT_MARK[]))', 'ct(table=3,zone=NXM_NX_REG0[0..15],alg=ftp)'],
    ['ct(bogus)', 'ct(zone=65536)', 'ct(force)', 'ct(table=255)', 'ct(alg=bogus)'],
    'ip',
  ],
  nat: [
    ['ct(nat)', 'ct(commit,nat(src=10.0.0.1-10.0.0.9:5-9))'],
    ['ct(commit,nat(src=10.0.0.9-10.0.0.1))', 'ct(commit,nat(bogus))', 'nat(src=10.0.0.1)'],
    'ip',
  ],
  ct_clear: [['ct_clear'], ['ct(commit,exec(ct_clear))']],
  bundle: [
    ['bundle(symmetric_l4,60,hrw,ofport,members:1,2,3)'],
    [
      'bundle(bogus,60,hrw,ofport,members:1)',
      'bundle(symmetric_l4,60,hrw)',
      'bundle(eth_src,0,bogus,ofport,members:1)',
    ],
  ],
  bundle_load: [
    ['bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG1[0..15],members:4,5)'],
    [
      'bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG1[0..3],members:4)',
      'bundle_load(eth_src,0,hrw,ofport,bogus,members:4)',
    ],
  ],
  multipath: [
    ['multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])'],
    [
      'multipath(bogus,50,modulo_n,1,0,NXM_NX_REG0[])',
      'multipath(eth_src,50,modulo_n,0,0,NXM_NX_REG0[])',
      'multipath(eth_src,50)',
    ],
  ],
  encap: [
    ['encap(nsh(md_type=1))', 'encap(ethernet)'],
    ['encap(bogus)', 'encap(nsh(md_type=9))', 'encap(nsh(bogus=1))'],
  ],
  decap: [
    ['decap()', 'decap(packet_type(ns=0,type=0))'],
    ['decap(packet_type(ns=9,type=0))', 'decap(packet_type(ns=1,type=bogus))'],
  ],
  dec_nsh_ttl: [['dec_nsh_ttl'], ['ct(commit,exec(dec_nsh_ttl))'], 'dl_type=0x894f'],
  sample: [
    [
      'sample(probability=12345,collector_set_id=1,obs_domain_id=2,obs_point_id=3)',
      'sample(probability=1,sampling_port=5,egress)',
    ],
    ['sample(probability=0)', 'sample(bogus=1)', 'sample(probability=65536)'],
  ],
  check_pkt_larger: [
    ['check_pkt_larger(1500)->NXM_NX_REG0[0]'],
    [
      'check_pkt_larger(1500)->NXM_NX_REG0[0..1]',
      'check_pkt_larger(1500)',
      'check_pkt_larger(1500)->bogus[0]',
    ],
  ],
  meter: [['meter:5'], ['meter:bogus', 'output:1,meter:5', 'meter:5,meter:6']],
  clear_actions: [['clear_actions'], ['clear_actions,output:1', 'clear_actions,clear_actions']],
  write_actions: [
    ['write_actions(output:2,set_queue:3,group:4)'],
    ['write_actions(exit)', 'write_actions(bogus)', 'write_actions(output:1),clear_actions'],
  ],
  write_metadata: [
    ['write_metadata:0x5/0xff', 'write_metadata:5'],
    ['write_metadata:bogus', 'write_metadata:1,clear_actions'],
  ],
  goto_table: [['goto_table:9'], ['goto_table:bogus', 'goto_table:9,output:1', 'goto_table:256']],
  learn: [
    [
      'learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])',
      'learn(limit=5,result_dst=NXM_NX_REG0[5],load:5->NXM_NX_REG0[3..9])',
    ],
    ['learn(bogus=1)', 'learn(table=255)', 'learn(load:5->bogus[])', 'learn(priority=70000)'],
  ],
};

const ofctl = (...args) => spawnSync('ovs-ofctl', args, { encoding: 'utf8' });

/** What the peer makes of a flow in a version: bytes, or its refusal. */
function peerFlow(flow, version) {
  writeFileSync(file, `${flow}\n`);
  const names =
    version === undefined
      ? VERSIONS.map((v) => v.name).join(',')
      : VERSIONS.find((v) => v.version === version).name;
  const { status, stdout, stderr } = ofctl('-mmmmm', '-O', names, 'parse-flows', file);
  if (status !== 0) {
    const line = stderr.split('\n').find((l) => l.startsWith('ovs-ofctl: ')) ?? stderr;
    return {
      error: line
        .replace('ovs-ofctl: ', '')
        .replace(`${file}:`, '')
        .replace(/^\d+: /, ''),
    };
  }
  const dump = [...stdout.matchAll(/^[0-9a-f]{8} {2}((?:[0-9a-f]{2}[ -]){1,16})/gm)];
  return { bytes: Buffer.from(dump.map((m) => m[1].replace(/[ -]/g, '')).join(''), 'hex') };
}

const rows = [];
const note = (row, kind, version, flow, bytes, error) =>
  rows.push({ row, kind, version, flow, bytes, error });

/** The row's flow in the versions that can say it; the bytes of the first. */
function good(row, flow, versions, most = 9) {
  const found = [];
  for (const version of versions) {
    if (found.length === most) break;
    const { bytes } = peerFlow(flow, version);
    if (!bytes?.length) continue;
    note(row, 'good', version, flow, bytes);
    found.push({ version, bytes });
  }
  return found;
}
function refused(row, flow) {
  const { error } = peerFlow(flow);
  if (error) note(row, 'refused', '', flow, undefined, error);
}
const bad = (row, version, bytes) => note(row, 'bad', version, '', bytes);

/** A flow-mod of OpenFlow 1.3 that has nothing but a match. */
function flowMod(match) {
  const out = new Uint8Array(48 + ((match.length + 4 + 7) & ~7));
  out.set([4, 14, out.length >> 8, out.length & 255, 0, 0, 0, 1]);
  out.fill(255, 32, 44);
  out.set([0, 1, (match.length + 4) >> 8, (match.length + 4) & 255], 48);
  out.set(match, 52);
  return out;
}

for (const f of FIELDS) {
  const row = `field ${f.name}`;
  const before = PREREQS_OF[f.name] ?? PREREQS[f.prereq];
  const flow = (value) => `${before}${before ? ',' : ''}${f.name}=${value},actions=drop`;
  const value = VALUES_OF[f.name] ?? VALUES[f.format];
  good(row, flow(value), [4, 6, 1], 1);
  refused(row, flow('bogus'));
  refused(row, flow(`0x1${'0'.repeat(f.bytes * 2)}`));
  if (!f.maskable) refused(row, flow(`${value}/${value}`));
  if (!fieldCode(f, 4)) continue;
  // A byte more than the field has; and a bit of its value that its mask leaves out.
  for (const masked of f.maskable ? [false, true] : [false]) {
    const w = new Writer();
    putFieldHeader(w, f, 4, masked);
    const header = Uint8Array.from(w.finish());
    const match = new Uint8Array(header.length + f.bytes * (masked ? 2 : 1) + (masked ? 0 : 1));
    match.set(header);
    if (masked) match[header.length + f.bytes - 1] = 1;
    else match[3]++;
    bad(row, 4, flowMod(match));
  }
}
// These two are in no TLV: OpenFlow 1.1 has them at fixed places.
for (const { name, flow, at, spoilt } of [
  { name: 'dl_vlan', flow: 'dl_vlan=5,actions=drop', at: 84, spoilt: [0x10, 0x05] },
  { name: 'dl_vlan_pcp', flow: 'dl_vlan=5,dl_vlan_pcp=3,actions=drop', at: 86, spoilt: [8] },
]) {
  const [{ bytes }] = good(`field ${name}`, flow, [2]);
  const message = Uint8Array.from(bytes);
  message.set(spoilt, at);
  bad(`field ${name}`, 2, message);
}

/** Where the instruction or the action of a flow-mod starts, that has one. */
function actionAt(type, bytes, version) {
  if (type === 'nat') return bytes.indexOf('0000232000240000', 0, 'hex') - 4;
  if (version === 1) return bytes[1] === 14 ? 72 : -1;
  const start = 48 + ((bytes.readUInt16BE(50) + 7) & ~7);
  return start + (bytes.readUInt16BE(start) === 4 ? 8 : 0);
}

for (const type of Object.keys(ACTIONS)) {
  const [goods, bads, match = ''] = TEXTS[type] ?? [[], []];
  const row = `action ${type}`;
  const flow = (action) => `${match}${match ? ',' : ''}actions=${action}`;
  for (const action of goods) {
    for (const { version, bytes } of good(
      row,
      flow(action),
      // Later versions have other actions in its place.
      type === 'enqueue' ? [1] : [1, 2, 4, 6],
    )) {
      const at = actionAt(type, bytes, version);
      if (at < 0 || at >= bytes.length) continue;
      const length = bytes.readUInt16BE(at + 2);
      // Longer, shorter, and with bits where reserved bytes may be.
      for (const change of [8, -8, 4]) {
        const spoilt = Buffer.from(bytes);
        spoilt.writeUInt16BE((length + change) & 0xffff, at + 2);
        bad(row, version, spoilt);
      }
      for (const offset of new Set([length - 1, 10, 5])) {
        if (offset >= length || offset < 4) continue;
        const spoilt = Buffer.from(bytes);
        spoilt[at + offset] ^= 0x81;
        bad(row, version, spoilt);
      }
    }
  }
  for (const action of bads) refused(row, flow(action));
}

const withBytes = rows.filter((r) => r.bytes);
const said = await peerTexts(
  dir,
  withBytes.map((r) => r.bytes),
);
withBytes.forEach((r, i) => (r.said = said[i]));
const isRefusal = (text) => text.includes('***decode error: ');

/** What a good flow is to the peer once it is bytes, and once these are a flow again. */
function quality({ version, bytes, said }) {
  if (isRefusal(said)) return 'written';
  const again = peerFlow(said.trimEnd().replace(/^.*?: ADD /, ''), version);
  return again.bytes && hex(again.bytes) === hex(bytes) ? 'good' : 'read';
}

const seen = new Set();
const lines = [];
for (const r of rows) {
  if (r.kind === 'bad') {
    // What was meant to be bad may be good to the peer; of each error one will do.
    const key = [r.row, r.version, r.said.split('\n')[0]].join();
    if (!isRefusal(r.said) || seen.has(key)) continue;
    seen.add(key);
  }
  const kind = r.kind === 'good' ? quality(r) : r.kind;
  const bytes = r.bytes ? hex(r.bytes) : '';
  lines.push([r.row, kind, r.version, r.flow, bytes, r.error ?? JSON.stringify(r.said)].join('\t'));
}
writeFileSync(
  join(root, 'packages/openflow/test/fixtures/fields-actions.tsv'),
  `# row\tgood, read (its text makes other bytes), written (bytes that the peer does not read), refused (a flow) or bad (bytes)\tversion\tflow\tbytes\tthe peer's text for the bytes, or refusal (Open vSwitch 3.1)\n${lines.join('\n')}\n`,
);
rmSync(dir, { recursive: true });
console.log(`${lines.length} flows and messages`);
