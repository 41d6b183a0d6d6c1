/**
 * Each field, action and instruction has a good and a bad fixture, as a flow and in bytes, with what the peer makes of
 * it, and these are read, written, printed and refused as by the peer. Messages and errors have theirs in rows.test.ts.
 */
import test from 'ava';
import { FIELDS } from '@ovs-node/flow/fields';
import { ACTIONS } from '../src/actions/table.js';
import type { Action } from '../src/actions/types.js';
import { OfError } from '../src/errors.js';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { parseFlowProtocols } from '../src/text/flow.js';
import { printMessage } from '../src/text/message.js';
import { encodeFlow } from './differential/compare.js';
import { fixtureRows } from './lib/fixtures.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

/**
 * As the peer finds: `good` flows are bytes and the same flow again, what is printed of `read` ones makes other bytes,
 * the bytes of `written` ones are not read (debug actions; encapsulation in OpenFlow 1.0), `refused` are flows, and
 * `bad` are bytes.
 */
type Kind = 'good' | 'read' | 'written' | 'refused' | 'bad';
interface Fixture {
  readonly row: string;
  readonly kind: Kind;
  readonly version: number;
  readonly flow: string;
  readonly bytes: string;
  readonly said: string;
}

/** Made by scripts/record-openflow-fields.mjs. */
const fixtures: readonly Fixture[] = fixtureRows('fields-actions.tsv').map(
  ([row, kind, version, flow, bytes, said]) => ({
    row,
    kind: kind as Kind,
    version: Number(version),
    flow,
    bytes,
    said: kind === 'refused' ? said : (JSON.parse(said) as string),
  }),
);
const of = (...kinds: Kind[]): readonly Fixture[] => fixtures.filter((f) => kinds.includes(f.kind));

const TABLES = {
  field: FIELDS.map((f) => f.name),
  action: Object.keys(ACTIONS),
} as const;
type Row = `${keyof typeof TABLES} ${string}`;

const QUALITIES = {
  'good flow': ['good', 'read', 'written'],
  'bad flow': ['refused'],
  'good message': ['good', 'read'],
  'bad message': ['bad', 'written'],
} as const satisfies Record<string, readonly Kind[]>;

/** Rows that have no fixture of a quality, and why. */
const WITHOUT: readonly { row: Row; without: readonly (keyof typeof QUALITIES)[]; why: string }[] = [
  ...(['tun_ttl', 'tun_tos', 'skb_priority'] as const).map((name) => ({
    row: `field ${name}` as const,
    without: ['good flow', 'good message', 'bad message'] as const,
    why: 'it has no code in any version: flows with it cannot be sent',
  })),
  ...(['debug_recirc', 'debug_slow'] as const).map((name) => ({
    row: `action ${name}` as const,
    without: ['good message'] as const,
    why: 'ovs-ofctl sends it but refuses to read it: it is for tests of the switch',
  })),
];

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

function written(flow: string, version: number): string {
  const { flowMod, usable } = parseFlowProtocols(flow, 'add');
  return hex(encodeFlow(flowMod, usable, version, 1));
}

test('good flows are the bytes that the peer makes of them', (t) => {
  for (const { row, version, flow, bytes } of of('good', 'read', 'written')) {
    t.is(written(flow, version), bytes, `${row}: ${flow}`);
  }
});

test('what is read of good bytes is written in the same bytes', (t) => {
  for (const { row, bytes, flow } of of('good', 'read')) {
    const decoded = decodeMessage(Buffer.from(bytes, 'hex'), { loose: true });
    if (decoded instanceof OfError) t.fail(`${row}: ${decoded.name}`);
    else t.is(hex(encodeMessage(decoded.msg, decoded.version, decoded.xid)), bytes, `${row}: ${flow}`);
  }
});

test('messages are printed, or refused, as by the peer', (t) => {
  for (const { row, bytes, said } of of('good', 'read', 'written', 'bad')) {
    t.is(printMessage(Buffer.from(bytes, 'hex'), { verbosity: 2 }), said, row);
  }
});

test('what is printed of good bytes makes the same bytes again', (t) => {
  for (const { row, version, bytes, said } of of('good')) {
    t.is(written(said.trimEnd().replace(/^.*?: ADD /, ''), version), bytes, `${row}: ${said}`);
  }
});

test('flows that the peer refuses are refused in its words', (t) => {
  for (const { row, flow, said } of of('refused')) {
    const e = t.throws(() => parseFlowProtocols(flow, 'add'), undefined, `${row}: ${flow}`);
    t.is(e?.message, said, `${row}: ${flow}`);
  }
});

test('what is read of good messages of an action has that action, in some version', (t) => {
  const have = new Set<string>();
  const add = (actions: readonly Action[]): void => {
    for (const a of actions) {
      have.add(a.type);
      if ('actions' in a) add(a.actions);
    }
  };
  for (const { row, bytes } of of('good', 'read')) {
    const decoded = decodeMessage(Buffer.from(bytes, 'hex'), { loose: true });
    if (decoded instanceof OfError || decoded.msg.type !== 'flow_mod') t.fail(row);
    else if (row.startsWith('action ')) add(decoded.msg.flowMod.actions);
  }
  t.deepEqual(
    TABLES.action.filter((type) => !have.has(type)),
    ['debug_recirc', 'debug_slow'],
  );
});

for (const [table, names] of Object.entries(TABLES)) {
  for (const [quality, kinds] of Object.entries(QUALITIES)) {
    test(`each ${table} has a ${quality} as a fixture`, (t) => {
      const have = new Set<string>(of(...kinds).map(({ row }) => row));
      const missing = names.map((name) => `${table} ${name}`).filter((row) => !have.has(row));
      // A row that is excused and has one all the same is excused no more.
      const excused = WITHOUT.filter((w) => w.row.startsWith(table) && w.without.some((q) => q === quality));
      t.deepEqual(missing.sort(), excused.map(({ row }) => row as string).sort());
    });
  }
}
