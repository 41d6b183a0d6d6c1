/** Runs texts and messages through the peer's ovs-ofctl and through this library, many in one process, and compares. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '@ovs-node/common/testkit/index';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { encodeMessage } from '../../src/messages/codec.js';
import type { FlowMod } from '../../src/messages/types.js';
import { parseFlowProtocols } from '../../src/text/flow.js';
import { hexDump } from '../../src/text/hex-dump.js';
import { printMessage } from '../../src/text/message.js';
import { formatProtocols, PROTOCOLS } from '../../src/text/protocols.js';
import { VERSIONS } from '../../src/version.js';
import { useByteText } from '../../src/wire.js';
import { quietParsers } from '../lib/quiet.js';

quietParsers();
useByteText(true);

export interface Difference {
  readonly what: string;
  readonly peer: string;
  readonly ours: string;
}

interface Parsed {
  readonly text: string;
  readonly flowMod: FlowMod;
  readonly usable: number;
}

function parse(text: string): Parsed | string {
  try {
    return { text, ...parseFlowProtocols(text, 'add') };
  } catch (e) {
    if (e instanceof FlowSyntaxError) return e.message;
    throw new Error(`${text}: ${(e as Error).stack}`);
  }
}

/** What a flow is as bytes, in the first usable protocol of a version; undefined when there is none. */
export function encodeFlow(
  flowMod: FlowMod,
  usable: number,
  version: number,
  xid: number,
): Uint8Array | undefined {
  const row = PROTOCOLS.find((p) => p.version === version && (usable & p.bit) !== 0);
  if (row === undefined) return undefined;
  const form =
    version === 1 ? ({ format: row.nxm ? 'nxm' : 'openflow10', withTableId: row.tableId } as const) : {};
  return encodeMessage({ type: 'flow_mod', flowMod, ...form }, version, xid);
}

const logLess = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/^\d{4}-\d\d-\d\dT/.test(line))
    .join('\n');

/** The message of a failure, without the name of the file and the number of the line before it. */
function failure(stderr: string, file: string): { message: string } {
  const text = stderr.split('\n').find((line) => line.startsWith('ovs-ofctl: ')) ?? stderr;
  const at = text.indexOf(`${file}:`);
  if (at < 0) return { message: text.replace('ovs-ofctl: ', '') };
  return { message: text.slice(at + file.length + 1).replace(/^\d+: /, '') };
}

/** Compares what becomes of flows in each version: refusals, usable protocols, text and bytes. */
export async function compareFlows(dir: string, texts: readonly string[]): Promise<Difference[]> {
  const differences: Difference[] = [];
  const parsed = texts.map(parse);
  const file = path.join(dir, 'flows.txt');
  const refused = texts.flatMap((text, i) =>
    typeof parsed[i] === 'string' ? [{ text, message: parsed[i] }] : [],
  );
  for (const { text, message } of refused) {
    writeFileSync(file, `${text}\n`);
    const peer = await run('ovs-ofctl', ['-O', VERSIONS.map((v) => v.name).join(','), 'parse-flows', file]);
    const words = peer.status === 0 ? peer.stdout : failure(peer.stderr, file).message;
    // Without a usable protocol the peer has still read the flow.
    if (words !== message) differences.push({ what: text, peer: words, ours: message });
  }
  for (const { version, name } of VERSIONS) {
    const list = parsed
      .filter((p): p is Parsed => typeof p !== 'string')
      .flatMap((p) => {
        const bytes = encodeFlow(p.flowMod, p.usable, version, 1);
        return bytes === undefined
          ? []
          : [{ ...p, first: PROTOCOLS.find((q) => q.version === version && (p.usable & q.bit) !== 0)!.bit }];
      });
    // The peer sends all flows of a file in one protocol.
    for (const protocol of new Set(list.map((p) => p.first))) {
      const group = list.filter((p) => p.first === protocol);
      differences.push(...(await compareEncoded(file, group, version, name, protocol)));
    }
  }
  return differences;
}

/** Flows that `protocol` can carry, in one process; in halves when the peer refuses some, so that it is known which. */
async function compareEncoded(
  file: string,
  group: readonly Parsed[],
  version: number,
  name: string,
  protocol: number,
): Promise<Difference[]> {
  writeFileSync(file, group.map((p) => `${p.text}\n`).join(''));
  const args = ['-O', name, '-F', PROTOCOLS.find((p) => p.bit === protocol)!.name, 'parse-flows', file];
  const peer = await run('ovs-ofctl', args);
  if (peer.status === 0) {
    const hex = await run('ovs-ofctl', ['-mmmmm', ...args]);
    return compareGroup(name, group, version, protocol, peer.stdout, hex.stdout);
  }
  if (group.length === 1) {
    return [{ what: `${name} ${group[0].text}`, peer: failure(peer.stderr, file).message, ours: 'no error' }];
  }
  const half = group.length >> 1;
  return [
    ...(await compareEncoded(file, group.slice(0, half), version, name, protocol)),
    ...(await compareEncoded(file, group.slice(half), version, name, protocol)),
  ];
}

const isHex = (line: string): boolean => /^[0-9a-f]{8} {2}/.test(line);

/** Splits output into messages: a line that starts one, and what follows it. */
function messages(stdout: string): string[] {
  return logLess(stdout)
    .split(/^(?=OFPT_|NXT_)/m)
    .filter((part) => /^(?:OFPT_|NXT_)/.test(part));
}

function compareGroup(
  name: string,
  group: readonly Parsed[],
  version: number,
  protocol: number,
  stdout: string,
  hexOut: string,
): Difference[] {
  const out: Difference[] = [];
  const usable = group.reduce((bits, p) => bits & p.usable, ~0);
  const ours = `usable protocols: ${formatProtocols(usable)}`;
  const first = stdout.slice(0, stdout.indexOf('\n'));
  if (first !== ours)
    out.push({ what: `${name}: ${group.map((p) => p.text).join('\n')}`.slice(0, 2000), peer: first, ours });
  const printed = messages(stdout);
  const dumped = messages(hexOut);
  for (const [i, p] of group.entries()) {
    const bytes = encodeFlow(p.flowMod, protocol, version, i + 1)!;
    const text = printMessage(bytes);
    const peerText = printed[i] ?? '';
    if (peerText.trimEnd() !== text.trimEnd())
      out.push({ what: `${name} ${p.text}`, peer: peerText, ours: text });
    const peerHex = (dumped[i] ?? '').split('\n').filter(isHex).join('\n');
    const hex = hexDump(bytes).trimEnd();
    if (peerHex !== hex) out.push({ what: `${name} ${p.text}`, peer: peerHex, ours: hex });
  }
  return out;
}

/** Compares what is printed for messages: with `ofp-parse`, a file of them one after the other, told apart by xid. */
export async function compareMessages(dir: string, list: readonly Uint8Array[]): Promise<Difference[]> {
  const file = path.join(dir, 'messages.bin');
  writeFileSync(file, Buffer.concat(list));
  const peer = await run('ovs-ofctl', ['ofp-parse', file], { encoding: 'latin1' });
  const printed = new Map<string, string>();
  for (const text of messages(peer.stdout)) printed.set(/xid=(0x[0-9a-f]+)/.exec(text)?.[1] ?? '', text);
  return list.flatMap((bytes) => {
    const ours = printMessage(bytes, { verbosity: 2 });
    const theirs = printed.get(/xid=(0x[0-9a-f]+)/.exec(ours)?.[1] ?? '') ?? '';
    return theirs.trimEnd() === ours.trimEnd()
      ? []
      : [{ what: Buffer.from(bytes).toString('hex'), peer: theirs, ours }];
  });
}

/** Differences as a report, the first few of them. */
export function report(differences: readonly Difference[], most = 20): string {
  return differences
    .slice(0, most)
    .map((d) => `${d.what}\n  peer: ${d.peer}\n  ours: ${d.ours}`)
    .join('\n');
}
