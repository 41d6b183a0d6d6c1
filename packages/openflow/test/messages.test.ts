import test from 'ava';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { parseFlow } from '../src/text/flow.js';
import { formatActions, parseActions } from '../src/actions/text.js';
import { errorFromNumbers, errorNumbers, OfError } from '../src/errors.js';
import { ERRORS, type ErrorName } from '../src/error-table.js';
import { decodeMessage, encodeMessage, UnencodableError } from '../src/messages/codec.js';
import { makeFlowMod } from '../src/messages/flow-mod.js';
import { makeGroupMod, makePacketOut } from '../src/messages/makers.js';
import { encodeMultipart } from '../src/messages/reply-parts.js';
import { type FlowMod, GROUP_ANY, NO_BUFFER, type OfMessage } from '../src/messages/types.js';
import { MESSAGE_CASES } from './fixtures/messages.js';
import { FLOWS } from './mini-switch.js';
import { unpacked } from './unpack.js';

const data = Uint8Array.from([1, 2, 3, 4]);

for (const [versions, msg] of MESSAGE_CASES) {
  for (const version of versions) {
    const detail = 'request' in msg ? ` ${msg.request.type}` : 'reply' in msg ? ` ${msg.reply.type}` : '';
    const form = 'format' in msg ? ` ${msg.format}` : '';
    test(`${msg.type}${detail}${form} in OpenFlow 1.${version - 1} comes back as it went`, (t) => {
      const decoded = decodeMessage(encodeMessage(msg, version, 0x12345678));
      if (decoded instanceof OfError) {
        t.fail(`${decoded.toString()}: ${decoded.detail}`);
        return;
      }
      t.is(decoded.version, version);
      t.is(decoded.xid, 0x12345678);
      if (msg.type === 'error') {
        t.is((decoded.msg as typeof msg).error.name, msg.error.name);
        t.deepEqual((decoded.msg as typeof msg).error.data, msg.error.data);
      } else if (msg.type === 'get_config_reply') {
        t.is((decoded.msg as typeof msg).config.frag, msg.config.frag);
      } else {
        t.deepEqual(unpacked(decoded.msg), unpacked(msg));
      }
    });
  }
}

test('the bytes of a hello', (t) => {
  const hex = (msg: OfMessage, version: number): string =>
    Buffer.from(encodeMessage(msg, version, 1)).toString('hex');
  t.is(hex({ type: 'hello', versions: 0b10 }, 1), '0100000800000001');
  t.is(hex({ type: 'hello', versions: 0b11110 }, 4), '0400000800000001');
  t.is(hex({ type: 'hello', versions: 0b10010 }, 4), '04000010000000010001000800000012');
  const decoded = decodeMessage(Buffer.from('04000010000000010001000800000012', 'hex'));
  t.deepEqual((decoded as { msg: OfMessage }).msg, { type: 'hello', versions: 0b10010 });
});

test('a hello of a version to come is understood', (t) => {
  const decoded = decodeMessage(Buffer.from('0900000800000001', 'hex'));
  t.false(decoded instanceof OfError);
});

/** A packet-out of ct without commit, around a nat with these bytes: padding, flags, which ranges, the ranges. */
function ctOf(nat: string): string {
  const natLength = Math.ceil((10 + nat.length / 2) / 8) * 8;
  const u16 = (n: number): string => n.toString(16).padStart(4, '0');
  const action = `ffff${u16(natLength)}000023200024${nat}`.padEnd(natLength * 2, '0');
  const length = 24 + natLength;
  const ct = `ffff${u16(length)}0000232000230000000000000000ff0000000000${action}`;
  return `010d${u16(16 + length)}00000001ffffffffffff${u16(length)}${ct}`;
}

test('a nat without arguments needs no commit', (t) => {
  t.false(decodeMessage(Buffer.from(ctOf('000000000000'), 'hex')) instanceof OfError);
});

for (const [sent, kept] of [
  ['0x1122334455', '0x11223344'],
  ['0x1/0xffffffff', '0x1'],
  ['0x1/0xff', '0x1/0xff'],
  ['0x1122334400/0xffffffff00', '0x11223344'],
  ['0x5500/0x1ffffff00', '0x55/0x1ffffff'],
] as const) {
  test(`what is set of a tunnel option of four bytes: ${sent}`, (t) => {
    const flowMod = parseFlow(`actions=set_field:${sent}->tun_metadata3`, 'add');
    const bytes = encodeMessage({ type: 'flow_mod', flowMod }, 6, 1);
    const decoded = decodeMessage(bytes, { tunnelOptionBits: () => 32 }) as {
      msg: { flowMod: FlowMod };
    };
    t.is(formatActions(decoded.msg.flowMod.actions), `set_field:${kept}->tun_metadata3`);
  });
}

const BAD: readonly (readonly [hex: string, error: ErrorName, why: string])[] = [
  ['01', 'OFPBRC_BAD_LEN', 'no header'],
  ['0105000900000001', 'OFPBRC_BAD_LEN', 'length field beyond the bytes'],
  ['0905000800000001', 'OFPBRC_BAD_TYPE', 'a version that is none'],
  ['0163000800000001', 'OFPBRC_BAD_TYPE', 'a type that is none'],
  ['0104001000000001000023210000000d', 'OFPBRC_BAD_VENDOR', 'another vendor'],
  ['0104001000000001000023200000ffff', 'OFPBRC_BAD_SUBTYPE', 'a subtype that is none'],
  ['0110000c00000001007f0000', 'OFPBRC_BAD_STAT', 'statistics that are none'],
  ['0105000c0000000100000000', 'OFPBRC_BAD_LEN', 'bytes after a request that has none'],
  ['0412001800000001000100000000000000000000000000', 'OFPBRC_BAD_LEN', 'a cut flow request'],
  ['0109000c0000000100080000', 'OFPSCFC_BAD_FLAGS', 'configuration flags that are none'],
  [
    '040e0038000000010000000000000000000000000000000000090000000000008000ffffffffffffffffffffffff0000000000010004' +
      '00000000',
    'OFPBRC_BAD_LEN',
    'a flow-mod longer than it says',
  ],
  [ctOf('000000040000'), 'OFPBAC_BAD_ARGUMENT', 'a persistent nat without commit'],
  [ctOf('000000080000'), 'OFPBAC_BAD_ARGUMENT', 'a nat by hash without commit'],
  [ctOf('000000100000'), 'OFPBAC_BAD_ARGUMENT', 'a random nat without commit'],
  [ctOf('00000000000101020304'), 'OFPBAC_BAD_ARGUMENT', 'a nat with an address without commit'],
];
for (const [hex, error, why] of BAD) {
  test(`${why} is ${error}`, (t) => {
    const decoded = decodeMessage(new Uint8Array(Buffer.from(hex, 'hex')));
    t.true(decoded instanceof OfError);
    t.is((decoded as OfError).name, error);
    t.is(Buffer.from((decoded as OfError).data).toString('hex'), hex, 'the offender is quoted');
  });
}

test('every error has numbers that lead back to it', (t) => {
  // Names that share their numbers in some version, where the first is read.
  const shared = new Set<ErrorName>(['OFPBIC_BAD_EXP_TYPE', 'OFPBRC_IS_SECONDARY']);
  for (const name of Object.keys(ERRORS) as ErrorName[]) {
    for (let version = 1; version <= 6; version++) {
      const n = errorNumbers(name, version);
      if (!n || (shared.has(name) && version < 3)) continue;
      t.is(errorFromNumbers(version, n.vendor, n.type, n.code), name, `${name} in ${version}`);
    }
  }
});

test('a vendor error goes by the form of its version', (t) => {
  for (const version of [1, 4]) {
    const bytes = encodeMessage(
      { type: 'error', error: new OfError('NXBRC_NXM_INVALID', '', data) },
      version,
      1,
    );
    const decoded = decodeMessage(bytes);
    t.is((decoded as { msg: { error: OfError } }).msg.error.name, 'NXBRC_NXM_INVALID');
  }
});

test('what a version cannot say is refused', (t) => {
  t.throws(() => encodeMessage({ type: 'set_flow_format', format: 'nxm' }, 4, 1), {
    instanceOf: UnencodableError,
  });
});

test('who is not held to types is told which of them there is not', (t) => {
  const refused = { instanceOf: UnencodableError };
  const encode = (msg: object): unknown => encodeMessage(msg as OfMessage, 4, 1);
  t.throws(() => encode({ type: 'flowmod' }), { ...refused, message: 'OpenFlow 1.3 has no message flowmod' });
  t.throws(() => encode({ type: 'multipart_request', request: { type: 'flows' }, more: false }), {
    ...refused,
    message: 'OpenFlow 1.3 has no message multipart_request flows',
  });
  const actions = [{ type: 'outport' }] as never;
  t.throws(
    () => encode({ type: 'packet_out', packetOut: makePacketOut({ packet: new Uint8Array(0), actions }) }),
    {
      instanceOf: TypeError,
      message: 'there is no action outport',
    },
  );
  t.throws(() => parseFlow('actions=drop', 'remove' as never), {
    instanceOf: TypeError,
    message: 'there is no command remove',
  });
});

const MISFITS: readonly (readonly [OfMessage, string])[] = [
  ...(
    [
      ['priority', 70000, 16],
      ['priority', -1, 16],
      ['tableId', 256, 8],
      ['idleTimeout', 1.5, 16],
      ['outPort', 2 ** 32, 32],
    ] as const
  ).map(([name, value, bits]): readonly [OfMessage, string] => [
    { type: 'flow_mod', flowMod: makeFlowMod({ command: 'add', priority: 0, [name]: value }) },
    `flow_mod: ${name} ${value} is no number of ${bits} bits`,
  ]),
  [
    {
      type: 'group_mod',
      groupMod: makeGroupMod({ command: 'add', groupId: 1, buckets: [{ actions: [], weight: 65536 }] }),
    },
    'group_mod: weight 65536 is no number of 16 bits',
  ],
  [
    { type: 'meter_mod', meterMod: { command: 'add', meter: { meterId: NaN, flags: 0, bands: [] } } },
    'meter_mod: meterId NaN is no number of 32 bits',
  ],
  [
    { type: 'port_mod', portMod: { portNo: 1, hwAddr: 0n, config: -1, mask: 0, advertise: 0 } },
    'port_mod: config -1 is no number of 32 bits',
  ],
];

test('a number that would be cut is refused', (t) => {
  for (const [msg, message] of MISFITS)
    t.throws(() => encodeMessage(msg, 4, 1), { instanceOf: UnencodableError, message });
});

test('a long reply comes in parts, each of as many items as fit', (t) => {
  const flows = Array.from({ length: 2000 }, () => FLOWS[1]);
  const reply = (some: typeof flows) =>
    encodeMultipart({ type: 'multipart_reply', reply: { type: 'flow', flows: some }, more: false }, 4, 9);
  const pages = reply(flows);
  t.true(pages.length > 1);
  const size = reply([FLOWS[1]])[0].length - 16;
  let n = 0;
  for (const [i, bytes] of pages.entries()) {
    t.true(bytes.length <= 65535);
    if (i < pages.length - 1) t.true(bytes.length + size > 65535, `part ${i} is full`);
    const { msg, xid } = decodeMessage(bytes) as { msg: OfMessage; xid: number };
    t.is(xid, 9);
    if (msg.type !== 'multipart_reply' || msg.reply.type !== 'flow') return t.fail();
    t.is(msg.more, i < pages.length - 1);
    n += msg.reply.flows.length;
  }
  t.is(n, 2000);
});

test('an empty reply is one message', (t) => {
  t.is(
    encodeMultipart({ type: 'multipart_reply', reply: { type: 'flow', flows: [] }, more: false }, 1, 1)
      .length,
    1,
  );
});

test('OpenFlow 1.0 flow-mods name a table only with the extension', (t) => {
  const [hex] = [
    '010e004800000001003820ff' + '00'.repeat(36) + '00'.repeat(8) + '0300000000008000ffffffffffff0000',
  ];
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const on = decodeMessage(bytes, { tableId: true });
  t.is((on as { msg: { flowMod: { tableId: number } } }).msg.flowMod.tableId, 3);
  const off = decodeMessage(bytes, { tableId: false });
  t.is((off as OfError).name, 'OFPFMFC_BAD_COMMAND');
});

test('flow-mods and requests for flows name tunnel options, and bits of them, that there are; other messages may name any', (t) => {
  const text = parseMatch('tun_metadata3=1,tun_metadata5=2');
  const known = (message: OfMessage, ...indexes: number[]): string => {
    const bytes = encodeMessage(message, 5, 1);
    const decoded = decodeMessage(bytes, {
      tunnelOptionBits: (index) => (indexes.includes(index) ? 32 : undefined),
    });
    return decoded instanceof OfError ? `${decoded.name}` : decoded.msg.type;
  };
  const filter = { ...FLOWS[0]!, match: text, outPort: OFPP.ANY, outGroup: GROUP_ANY, cookieMask: 0n };
  const request: OfMessage = { type: 'multipart_request', request: { type: 'flow', filter }, more: false };
  t.is(known(request, 3, 5), 'multipart_request');
  t.is(known(request, 3), 'NXFMFC_INVALID_TLV_FIELD');
  const actions = parseActions('set_field:1->tun_metadata3,output:1');
  const bits = (text: string): OfMessage => ({
    type: 'flow_mod',
    flowMod: parseFlow(`actions=${text}`, 'add'),
  });
  t.is(known(bits('push:tun_metadata3[0..31]'), 3), 'flow_mod');
  t.is(known(bits('push:tun_metadata3[1..32]'), 3), 'OFPBAC_BAD_SET_LEN');
  t.is(known(bits('check_pkt_larger(10)->tun_metadata3[32]'), 3), 'OFPBAC_BAD_SET_LEN');
  t.is(known(bits('learn(tun_metadata3[1..32]=reg0[])'), 3), 'OFPBAC_BAD_SET_LEN');
  const out = { bufferId: NO_BUFFER, match: parseMatch('in_port=1'), actions, packet: new Uint8Array(0) };
  t.is(known({ type: 'packet_out', packetOut: out }), 'packet_out');
});
