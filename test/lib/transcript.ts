/** Command lines of ours beside the peer's: one script, run by either side's tools against either side's daemons. */
import type { ExecutionContext } from 'ava';
import { type RunResult, type Side, type Suite, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { PEER, testWith } from './requires.js';

export type CommandLine = readonly string[];

/**
 * Runs `script`, each line after the one before it.
 *
 * @param toolbox whose tools run; `suite` is whose daemons they talk to.
 * @param textOf what of a result's text is compared, without what differs from run to run.
 * @returns for each line itself, its text and its status.
 */
export async function play(
  suite: Suite,
  toolbox: Suite,
  script: readonly CommandLine[],
  textOf: (result: RunResult, line: CommandLine) => string,
): Promise<string[]> {
  const texts: string[] = [];
  for (const line of script) {
    const [file, ...before] = toolbox.command(line[0] as string);
    const args = [...before, ...line.slice(1)];
    const result = await runCommand(file, args, { env: suite.env, timeoutMs: 10_000 });
    texts.push(`$ ${line.join(' ')}\n${textOf(result, line)}\nstatus ${result.status}`);
  }
  return texts;
}

/** Asserts that all texts are the peer's; shows those that are not, each beside the peer's. */
export function sameTexts(t: ExecutionContext, got: readonly string[], wanted: readonly string[]): void {
  const different = got.flatMap((text, i) => (text === wanted[i] ? [] : [{ got: text, wanted: wanted[i] }]));
  for (const each of different) t.log(`${each.got}\n--- the peer ---\n${each.wanted}`);
  t.is(different.length, 0, `of ${got.length}`);
  t.is(got.length, wanted.length);
}

/** Tests that `transcript` gives the same for each mix of sides as for the peer alone. */
export function comparedWithPeer(
  title: (tools: Side, daemons: Side) => string,
  transcript: (t: ExecutionContext, daemons: Side, tools: Side) => Promise<string[]>,
): void {
  let reference: Promise<string[]> | undefined;
  for (const [daemons, tools] of [
    ['peer', 'ours'],
    ['ours', 'ours'],
    ['ours', 'peer'],
  ] as const satisfies readonly (readonly [Side, Side])[]) {
    testWith(PEER)(title(tools, daemons), async (t) => {
      reference ??= transcript(t, 'peer', 'peer');
      const wanted = await reference;
      const got = await transcript(t, daemons, tools);
      sameTexts(t, got, wanted);
    });
  }
}
