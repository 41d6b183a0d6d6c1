/** Lists of actions that are known by their bytes are read, written and explained as those that are not. */
import test from 'ava';
import { putFlowActions, putInstructions, readFlowActions, readInstructions } from '../src/actions/codec.js';
import type { Action } from '../src/actions/types.js';
import { guard, OfError } from '../src/errors.js';
import type { Explain } from '../src/explain.js';
import { FlowGenerator } from '../src/testkit/flow-generator.js';
import { parseFlowProtocols } from '../src/text/flow.js';
import { Reader, Writer } from '../src/wire.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

const VERSION = 5;

const written = (put: typeof putInstructions, actions: readonly Action[], version = VERSION): Uint8Array => {
  const w = new Writer();
  put(w, actions, version);
  return w.finish();
};

function lists(seed: number, n: number): Uint8Array[] {
  const generator = new FlowGenerator(seed);
  const found: Uint8Array[] = [];
  while (found.length < n) {
    try {
      found.push(written(putInstructions, parseFlowProtocols(generator.flow(), 'add').flowMod.actions));
    } catch {
      // Not every text is a flow, nor has every action a form in every version.
    }
  }
  return found;
}

const readerOf = (bytes: Uint8Array, explain?: Explain) =>
  new Reader(bytes, 0, bytes.length, 'OFPBIC_BAD_LEN', explain);
const readAnew = (bytes: Uint8Array) => guard(() => readInstructions(readerOf(bytes), VERSION));
const readAgain = (bytes: Uint8Array) => guard(() => readFlowActions(readerOf(bytes), VERSION));

test('whatever lists are read in whatever order, each is what its bytes say', (t) => {
  const all = lists(1, 3000);
  for (let round = 0; round < 3; round++) {
    for (const bytes of all) {
      const anew = readAnew(bytes);
      const again = readAgain(bytes);
      if (anew instanceof OfError) t.is((again as OfError).name, anew.name);
      else t.deepEqual(again, anew);
    }
  }
});

test('a list that comes again is the same list, and is written as in each version', (t) => {
  for (const bytes of lists(2, 500)) {
    let isPlain = bytes.length <= 128;
    const tell: Explain = (_key, ..._args) => {
      isPlain = false;
    };
    const r = readerOf(bytes, tell);
    r.tunnelOptionBits = () => {
      isPlain = false;
      return 32;
    };
    const first = guard(() => readFlowActions(r, VERSION));
    if (first instanceof OfError) continue;
    if (isPlain) t.is(readAgain(bytes), first);
    for (const version of [4, 5, 6, 5, 5])
      t.deepEqual(written(putFlowActions, first, version), written(putInstructions, first, version));
  }
});

test('one that differs in any byte is another list', (t) => {
  const bytes = written(putInstructions, [
    { type: 'output', port: 1, maxLen: 0 },
    { type: 'goto_table', table: 7 },
  ]);
  for (let at = 0; at < bytes.length; at++) {
    readAgain(bytes);
    const other = bytes.slice();
    other[at] ^= 1;
    t.deepEqual(readAgain(other), readAnew(other), `byte ${at}`);
  }
});

test('what there is to tell of a list is told each time, and tunnel options are asked for each time', (t) => {
  const told: string[] = [];
  const explain: Explain = (key, ..._args) => void told.push(key);
  const deprecated = written(putInstructions, [{ type: 'set_l4_src_port', port: 7 }]);
  for (let i = 0; i < 3; i++) guard(() => readFlowActions(readerOf(deprecated, explain), VERSION));
  t.deepEqual(told, ['deprecated_action', 'deprecated_action', 'deprecated_action']);

  const asked: number[] = [];
  // set_field of tun_metadata3 with four bytes.
  const option = Buffer.from('0004001800000000' + '001900100001560400000005' + '00000000', 'hex');
  for (const isThere of [true, false, true]) {
    const r = readerOf(option);
    r.tunnelOptionBits = (index) => {
      asked.push(index);
      return isThere ? 32 : undefined;
    };
    const result = guard(() => readFlowActions(r, VERSION));
    t.is(result instanceof OfError ? result.name : 'read', isThere ? 'read' : 'NXFMFC_INVALID_TLV_FIELD');
  }
  t.deepEqual(asked, [3, 3, 3, 3, 3], 'whether it is there, and if so how long it is');
});
