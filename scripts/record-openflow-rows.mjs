// node scripts/record-openflow-rows.mjs: writes packages/openflow/test/fixtures/rows.tsv, good and bad messages
// for each form of message and of action, each instruction, error and property of packages/openflow, with the peer's own
// text for each. It needs the peer; what is written is what it said. test/rows.test.ts fails for a row that has none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const load = (path) => import(join(root, 'packages', path));
const { INSTRUCTION_ROWS } = await load('openflow/dist/src/actions/instruction-table.js');
const { ACTIONS } = await load('openflow/dist/src/actions/table.js');
const { ERRORS } = await load('openflow/dist/src/error-table.js');
const { OfError } = await load('openflow/dist/src/errors.js');
const { decodeHeader, decodeMessage, encodeMessage } = await load('openflow/dist/src/messages/codec.js');
const { wireForm } = await load('openflow/dist/src/messages/wire-forms.js');
const { parseFlowProtocols } = await load('openflow/dist/src/text/flow.js');
const { printMessage } = await load('openflow/dist/src/text/message.js');
const { generate, KINDS } = await load('openflow/dist/src/testkit/diff-run.js');
const { spoil } = await load('openflow/dist/src/testkit/mutate.js');
const { Random } = await load('openflow/dist/src/testkit/random.js');
const { encodeFlow } = await load('openflow/dist/test/differential/compare.js');
const { PROPERTY_ROWS, propertyMessages } = await load('openflow/dist/test/lib/property-cases.js');
const { fixtureRows } = await load('openflow/dist/test/lib/fixtures.js');
const { flowWithActions, formRows } = await load('openflow/dist/test/lib/form-rows.js');
const { peerTexts } = await load('openflow/dist/test/lib/peer-print.js');
const { Writer } = await load('openflow/dist/src/wire.js');
const { quietParsers } = await load('openflow/dist/test/lib/quiet.js');

quietParsers();

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const r = new Random(1);
/** Row, good or bad, bytes. */
const rows = [];
const add = (row, quality, bytes) => rows.push({ row, quality, bytes });
const isBad = (bytes) => printMessage(bytes).includes('***decode error: ');

/** Whether a message is good and its bytes are made of what is read again. */
function isExact(bytes) {
  if (isBad(bytes)) return false;
  const decoded = decodeMessage(bytes, { loose: true });
  if (decoded instanceof OfError) return false;
  try {
    return hex(encodeMessage(decoded.msg, decoded.version, decoded.xid)) === hex(bytes);
  } catch {
    return false;
  }
}

/** A message that is `bytes` with `n` bytes of `fill` behind them. */
function sized(bytes, n, fill = 0) {
  const out = Buffer.concat([bytes, Buffer.alloc(n, fill)]);
  out.writeUInt16BE(out.length, 2);
  return out;
}

// Messages: of each form the shortest good one in each version that has it, and a bad one; and for each error that spoilt
// ones have, the shortest of these: so their properties have them too.
{
  const good = new Map();
  const bad = new Map();
  /** Good, but what is read is written in another form, or order. */
  const read = new Map();
  const keep = (map, key, bytes) => {
    const old = map.get(key);
    if (!old || bytes.length < old.length) map.set(key, Uint8Array.from(bytes));
  };
  const keepGood = (form, bytes) => {
    if (!isBad(bytes)) keep(isExact(bytes) ? good : read, `message ${form.key} ${bytes[0]}`, bytes);
  };
  for (let run = 0; run < 40; run++) {
    for (const kind of KINDS) {
      for (let version = 1; version <= 6; version++) {
        const bytes = generate(r, kind, version);
        if (!bytes || bytes.length > 2000) continue;
        const { wire } = decodeHeader(bytes);
        keepGood(wire, bytes);
        for (let n = 0; n < 2; n++) {
          const spoilt = spoil(r, bytes, bytes);
          const header = decodeHeader(spoilt);
          const error = /decode error: (\w+)/.exec(printMessage(spoilt))?.[1];
          if (error && !(header instanceof OfError)) keep(bad, `message ${header.wire.key} ${error}`, spoilt);
        }
      }
    }
  }
  // Forms that are understood in versions that send another: the same bytes under the other version's number, or zeros.
  for (const [key, bytes] of [...good, ...read]) {
    const form = wireForm(key.split(' ')[1]);
    const zeros = sized(bytes.slice(0, decodeHeader(bytes).bodyAt), form.base);
    for (let version = form.from; version <= Math.min(form.to, 6); version++) {
      for (const candidate of [bytes, zeros].map((each) => Uint8Array.from(each))) {
        candidate[0] = version;
        const header = decodeHeader(candidate);
        const has = [good, read].some((map) => map.has(`message ${form.key} ${version}`));
        if (!has && !(header instanceof OfError) && header.wire === form) keepGood(form, candidate);
      }
    }
  }
  // Of a length that the form cannot have, or with something behind that is none of what may be there.
  for (const [key, bytes] of [...good, ...read]) {
    const form = wireForm(key.split(' ')[1]);
    const tooShort = form.base > 0 ? [sized(bytes.slice(0, decodeHeader(bytes).bodyAt), form.base - 1)] : [];
    const spoilt = [...tooShort, ...[1, 4, 8].map((n) => sized(bytes, n, 0xff))].find(isBad);
    if (spoilt) keep(bad, key, spoilt);
  }
  const all = [...[...good].map((e) => [...e, 'good']), ...[...bad].map((e) => [...e, 'bad'])];
  for (const e of read) if (!good.has(e[0])) all.push([...e, 'read']);
  for (const [key, bytes, quality] of all) add(key.split(' ').slice(0, 2).join(' '), quality, bytes);
}

// Errors: each in each version that has it, with bytes and without; and cut off within its header.
for (const [name, codes] of Object.entries(ERRORS)) {
  const version = codes[0][0];
  const bytes = encodeMessage(
    { type: 'error', error: new OfError(name, '', new Uint8Array([1, 2, 0, 8, 0, 0, 0, 1])) },
    version,
    1,
  );
  add(`error ${name}`, 'good', bytes);
  const short = bytes.slice(0, codes[0][2] === 0 ? 10 : 14);
  short[3] = short.length;
  add(`error ${name}`, 'bad', short);
}

// Properties: each in its holder, good and bad.
for (const [holder, name] of PROPERTY_ROWS) {
  for (const [quality, text] of Object.entries(propertyMessages(holder, name)))
    // What the peer makes of the one that is ours says nothing.
    if (name !== 'instruction' || quality === 'bad')
      add(`property ${holder}: ${name}`, quality, Buffer.from(text, 'hex'));
}

// Forms of actions, each in each version that has it, made of the actions in the fixtures of flows; and of a length that the
// form cannot have.
{
  const known = new Map(Object.keys(ACTIONS).map((type) => [type, []]));
  const keepActions = (actions, flow) => {
    for (const a of actions) {
      known.get(a.type).push({ a, flow });
      if (a.actions) keepActions(a.actions, flow);
    }
  };
  for (const [row, kind, , text] of fixtureRows('fields-actions.tsv')) {
    if (!row.startsWith('action ') || !['good', 'read', 'written'].includes(kind)) continue;
    const flow = parseFlowProtocols(text, 'add');
    keepActions(flow.flowMod.actions, flow);
  }
  const plain = parseFlowProtocols('actions=drop', 'add');
  for (const { row, type, form, version } of formRows()) {
    const actions = known.get(type);
    // One that would be sent in this form, or another action in the form's words.
    const fitting = actions.filter(({ a }) => form.when?.(a, version) ?? true);
    const candidates = [...fitting, ...actions].map(({ a, flow }) => {
      const w = new Writer();
      if (form.vendor === 0) w.u16(form.code).u16(0);
      else w.u16(0xffff).u16(0).u32(form.vendor).u16(form.code);
      form.encode(w, a, version);
      w.pad(8, 0);
      w.setU16(2, w.length);
      return { flow, bytes: w.finish() };
    });
    const messageOf = ({ flow, bytes }) =>
      flowWithActions(flow, bytes, version) ?? flowWithActions(plain, bytes, version);
    const isGood = (c) => !isBad(messageOf(c));
    const chosen = candidates.find(isGood) ?? candidates[0];
    if (isGood(chosen)) add(row, isExact(messageOf(chosen)) ? 'good' : 'read', messageOf(chosen));
    const more = form.length === undefined ? 0 : 8;
    const spoilt = Buffer.concat([chosen.bytes, Buffer.alloc(more)]);
    spoilt.writeUInt16BE((form.length ?? form.minLength - 8) + more, 2);
    add(row, 'bad', messageOf({ ...chosen, bytes: spoilt }));
  }
}

// Instructions, each in each version that has it; and too long, or with half an action in it.
{
  const output = '00000010 00000001 ffff0000 00000000';
  /** What is in each, after its header; and what is too much. */
  const BODIES = {
    meter: ['00000005', '0000000000000000'],
    apply: [`00000000 ${output}`, '0000001000000001'],
    clear: ['00000000', '0000000000000000'],
    write: [`00000000 ${output}`, '0000001000000001'],
    metadata: ['00000000 000000000000000a 00000000000000ff', '0000000000000000'],
    goto: ['03000000', '0000000000000000'],
  };
  const plain = parseFlowProtocols('actions=drop', 'add');
  for (const [kind, { type, from, to }] of INSTRUCTION_ROWS) {
    const [body, more] = BODIES[kind].map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex'));
    for (let version = from; version <= to; version++) {
      const withBody = (bytes) => {
        const head = Buffer.from([0, type, 0, 4 + bytes.length]);
        return sized(Buffer.concat([encodeFlow(plain.flowMod, plain.usable, version, 1), head, bytes]), 0);
      };
      add(`instruction ${kind}`, 'good', withBody(body));
      add(`instruction ${kind}`, 'bad', withBody(Buffer.concat([body, more])));
    }
  }
}

const dir = mkdtempSync(join(tmpdir(), 'rows-'));
const said = await peerTexts(
  dir,
  rows.map(({ bytes }) => bytes),
);
const seen = new Set();
const lines = [];
rows.forEach(({ row, quality, bytes }, i) => {
  const line = [row, quality, hex(bytes), JSON.stringify(said[i])].join('\t');
  if (said[i].includes('***decode error: ') !== (quality === 'bad') && !row.startsWith('error ')) {
    console.error(`${row}: the peer finds otherwise: ${said[i].slice(0, 100)}`);
    return;
  }
  if (!seen.has(line)) lines.push(line);
  seen.add(line);
});
const fixtures = join(root, 'packages/openflow/test/fixtures');
writeFileSync(
  join(fixtures, 'rows.tsv'),
  `# row\tgood, read (written in another form) or bad\tbytes\tthe peer's text for them (Open vSwitch 3.1)\n${lines.join('\n')}\n`,
);

rmSync(dir, { recursive: true });
console.log(`${lines.length} messages`);
