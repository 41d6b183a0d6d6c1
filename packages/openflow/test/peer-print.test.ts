/**
 * Generated messages of every row and version, and mutations of them, are printed as the peer prints them, or refused
 * in its words; so are flow-mods with each flag. Seeds are fixed;
 * `OPENFLOW_RUNS=400 OPENFLOW_SEED=7 npm test -- packages/openflow/dist/test/peer-print.test.js` runs long: 500,000 messages.
 */
import test, { type ExecutionContext } from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { encodeMessage } from '../src/messages/codec.js';
import { makeFlowMod } from '../src/messages/flow-mod.js';
import { printMessage } from '../src/text/message.js';
import { type Case, cases } from './lib/cases.js';
import { spoil } from '../src/testkit/mutate.js';
import { peerTexts } from './lib/peer-print.js';
import { Random } from '../src/testkit/random.js';
import { quietParsers } from './lib/quiet.js';

const RUNS = Number(process.env['OPENFLOW_RUNS'] ?? 4);
/** Seeds of CI; a long run counts on from its own. */
const SEEDS =
  process.env['OPENFLOW_SEED'] === undefined
    ? [106, 108, 110]
    : [0, 1, 2].map((i) => Number(process.env['OPENFLOW_SEED']) + i);
const PAGE = 1500;

quietParsers();

/** Fails for messages that are not printed alike, in hex; says how many there were. */
async function compare(t: ExecutionContext, list: Iterable<Case>, more: number): Promise<number> {
  const dir = tmpDir(t);
  const bad: string[] = [];
  let count = 0;
  const flush = async (page: readonly Case[]): Promise<void> => {
    const texts = await peerTexts(
      dir,
      page.map((c) => c.bytes),
      more,
    );
    page.forEach(({ what, bytes }, i) => {
      const ours = printMessage(bytes, { verbosity: 2 + more });
      if (ours !== texts[i]) bad.push(`${what}: ${Buffer.from(bytes).toString('hex')}`);
    });
    count += page.length;
  };
  let page: Case[] = [];
  for (const each of list) {
    page.push(each);
    if (page.length < PAGE) continue;
    await flush(page);
    page = [];
  }
  await flush(page);
  t.deepEqual(bad, []);
  return count;
}

for (const more of [0, 1]) {
  needing(test, 'peer')(
    `generated messages are printed as the peer does, verbosity ${2 + more}`,
    async (t) => {
      t.timeout(30 * 60_000);
      const count = await compare(
        t,
        cases(new Random(SEEDS[more]), RUNS, (bytes) => bytes),
        more,
      );
      t.true(count > 300 * RUNS);
    },
  );
}

for (const seed of SEEDS) {
  needing(test, 'peer')(
    `mutated messages are printed or refused in the peer's words, seed ${seed}`,
    async (t) => {
      t.timeout(30 * 60_000);
      const r = new Random(seed);
      const count = await compare(
        t,
        cases(r, RUNS, (bytes, before) => spoil(r, bytes, before)),
        seed % 2,
      );
      t.true(count > 300 * RUNS);
    },
  );
}

/** The forms of a flow-mod: which versions it comes in, and where its flags are. */
const FLOW_MOD_FORMS = [
  // The extension comes under any version's number, laid out as that of OpenFlow 1.0.
  { format: { format: 'nxm' }, versions: [1, 2, 3, 4, 5, 6], flagsAt: 38 },
  { format: { format: 'openflow10' }, versions: [1], flagsAt: 70 },
  { format: {}, versions: [2, 3, 4, 5, 6], flagsAt: 44 },
] as const;
const FLAGS = [0, 0x1f, ...Array.from({ length: 16 }, (_, i) => 1 << i)];

/** Flow-mods of each form and version with each flag alone, and with those of OpenFlow 1.3. */
function* flowModsWithFlags(): Generator<Case> {
  for (const { format, versions, flagsAt } of FLOW_MOD_FORMS) {
    for (const version of versions) {
      for (const command of ['add', 'modify', 'delete_strict'] as const) {
        for (const idleTimeout of [0, 10]) {
          const flowMod = makeFlowMod({ command, idleTimeout, priority: 5, tableId: 0 });
          for (const flags of FLAGS) {
            const encoded = 'format' in format ? 1 : version;
            const bytes = encodeMessage({ type: 'flow_mod', flowMod, ...format }, encoded, 1);
            bytes[0] = version;
            new DataView(bytes.buffer, bytes.byteOffset).setUint16(flagsAt, flags);
            const what = `${JSON.stringify(format)} in version ${version} with flags ${flags}`;
            yield { what, bytes };
          }
        }
      }
    }
  }
}

needing(test, 'peer')('the flags of a flow-mod are those of its version, whatever its form', async (t) => {
  t.is(await compare(t, flowModsWithFlags(), 0), 12 * 3 * 2 * FLAGS.length);
});
