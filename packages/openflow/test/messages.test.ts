import test from 'ava';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { parseActions } from '../src/actions/text.js';
import { errorFromNumbers, errorNumbers, OfError } from '../src/errors.js';
import { ERRORS, type ErrorName } from '../src/error-table.js';
import { decodeMessage, encodeMessage, encodeMultipart, UnencodableError } from '../src/messages/codec.js';
import { portMatch } from '../src/messages/packet.js';
import { standardTableFeatures } from '../src/messages/table-features.js';
import { type OfMessage, type PacketIn, PR } from '../src/messages/types.js';
import { FLOWS, PORTS, portStats } from './mini-switch.js';

const data = Uint8Array.from([1, 2, 3, 4]);
const packetIn: PacketIn = {
  bufferId: 0xffffffff,
  totalLen: 99,
  reason: PR.ACTION,
  tableId: 3,
  cookie: 7n,
  match: portMatch(5),
  packet: data,
};
const filter = {
  match: parseMatch('tcp,tp_dst=80'),
  tableId: 3,
  cookie: 0n,
  cookieMask: 0n,
  outPort: 5,
  outGroup: 0xffffffff,
};

/** Messages with the versions in which they say everything that they hold. */
const CASES: readonly (readonly [versions: readonly number[], msg: OfMessage])[] = [
  [[1, 4, 6], { type: 'echo_request', data }],
  [[1, 4], { type: 'echo_reply', data }],
  [[1, 2, 3, 4, 5, 6], { type: 'features_request' }],
  [
    [1, 4],
    {
      type: 'get_config_reply',
      config: { frag: 'nx-match', invalidTtlToController: undefined, missSendLen: 5 },
    },
  ],
  [[1, 2, 4, 6], { type: 'barrier_request' }],
  [[1, 2, 4, 6], { type: 'barrier_reply' }],
  [
    [1, 4],
    {
      type: 'packet_in',
      format: 'nxt_packet_in2',
      packetIn: { ...packetIn, userdata: data, continuation: data },
    },
  ],
  [[1, 4], { type: 'packet_in', format: 'nxt_packet_in', packetIn }],
  [[4, 5, 6], { type: 'packet_in', format: 'standard', packetIn }],
  [
    [1, 2, 3, 4, 5, 6],
    {
      type: 'packet_out',
      packetOut: {
        bufferId: 0xffffffff,
        match: portMatch(OFPP.LOCAL),
        actions: parseActions('output:5,normal'),
        packet: data,
      },
    },
  ],
  [
    [3, 4, 5, 6],
    {
      type: 'flow_removed',
      removed: {
        match: parseMatch('ip,nw_src=1.2.3.4'),
        cookie: 5n,
        priority: 6,
        reason: 'hard',
        tableId: 7,
        durationSec: 8,
        durationNsec: 9,
        idleTimeout: 10,
        hardTimeout: 11,
        packetCount: 12n,
        byteCount: 13n,
      },
    },
  ],
  [[2, 3, 4, 5, 6], { type: 'port_status', reason: 'modify', port: { ...PORTS[0], config: 1 } }],
  [
    [1, 2, 3, 4, 5, 6],
    { type: 'port_mod', portMod: { portNo: 3, hwAddr: 5n, config: 1, mask: 1, advertise: 0 } },
  ],
  [[3, 4, 6], { type: 'role_request', role: 'primary', generationId: 5n }],
  [[1], { type: 'role_reply', role: 'secondary', generationId: undefined }],
  [[4], { type: 'get_async_request' }],
  [
    [1, 4],
    {
      type: 'set_async',
      config: {
        primary: { packetIn: 1, portStatus: 2, flowRemoved: 3 },
        secondary: { packetIn: 4, portStatus: 5, flowRemoved: 6 },
      },
    },
  ],
  [[1], { type: 'set_flow_format', format: 'nxm' }],
  [[1], { type: 'flow_mod_table_id', enable: true }],
  [[1, 4], { type: 'set_packet_in_format', format: 'nxt_packet_in2' }],
  [[1, 4], { type: 'set_controller_id', controllerId: 9 }],
  [[1, 4], { type: 'flow_age' }],
  [[1, 4, 6], { type: 'multipart_request', request: { type: 'desc' }, more: false }],
  [[2, 4, 5], { type: 'multipart_request', request: { type: 'flow', filter }, more: false }],
  [[1], { type: 'multipart_request', request: { type: 'flow', filter }, more: false, format: 'nxm' }],
  [[1, 4], { type: 'multipart_request', request: { type: 'aggregate', filter }, more: true }],
  [[1, 2, 4, 6], { type: 'multipart_request', request: { type: 'port', portNo: OFPP.ANY }, more: false }],
  [[1, 4], { type: 'multipart_request', request: { type: 'queue', portNo: 1, queueId: 2 }, more: false }],
  [[6], { type: 'multipart_request', request: { type: 'port_desc', portNo: 4 }, more: false }],
  [
    [4],
    {
      type: 'multipart_reply',
      reply: { type: 'port', ports: [portStats(1, true), portStats(OFPP.LOCAL, false)] },
      more: false,
    },
  ],
  [[5, 6], { type: 'multipart_reply', reply: { type: 'port', ports: [portStats(1, false)] }, more: true }],
  [
    [2, 4, 5, 6],
    {
      type: 'multipart_reply',
      reply: { type: 'port_desc', ports: [{ ...PORTS[0], config: 1 }] },
      more: false,
    },
  ],
  [
    [1],
    {
      type: 'multipart_reply',
      reply: { type: 'flow', flows: FLOWS.slice(0, 3).map((f) => ({ ...f, flags: 0 })) },
      more: false,
      format: 'nxm',
    },
  ],
  [
    [4, 5],
    {
      type: 'multipart_reply',
      reply: { type: 'flow', flows: FLOWS.slice(0, 3).map((f) => ({ ...f, idleAge: -1, hardAge: -1 })) },
      more: false,
    },
  ],
  [
    [4],
    {
      type: 'multipart_reply',
      reply: { type: 'table_features', tables: [standardTableFeatures(3, 9, 'x', 5, 4)] },
      more: false,
    },
  ],
  [
    [1, 4],
    { type: 'error', error: new OfError('OFPFMFC_TABLE_FULL', '', data, { vendor: 0, type: 0, code: 0 }) },
  ],
];

for (const [versions, msg] of CASES) {
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
        t.deepEqual(decoded.msg, msg);
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

const BAD: readonly (readonly [hex: string, error: ErrorName, why: string])[] = [
  ['01', 'OFPBRC_BAD_LEN', 'no header'],
  ['0105000900000001', 'OFPBRC_BAD_LEN', 'length field beyond the bytes'],
  ['0905000800000001', 'OFPBRC_BAD_VERSION', 'a version that is none'],
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

test('a long reply is cut into pages', (t) => {
  const flows = Array.from({ length: 2000 }, () => FLOWS[1]);
  const pages = encodeMultipart(
    { type: 'multipart_reply', reply: { type: 'flow', flows }, more: false },
    4,
    9,
  );
  t.true(pages.length > 1);
  let n = 0;
  for (const [i, bytes] of pages.entries()) {
    t.true(bytes.length <= 65535);
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
