/** The fuzz target `openflow` (`scripts/fuzz.mjs`): messages, and what is in them, as a stranger may send them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeActions, decodeInstructions } from '../src/actions/codec.js';
import { formatActions } from '../src/actions/text.js';
import { OfError } from '../src/errors.js';
import { decodeMatchFields } from '../src/match/nxm.js';
import { decodeMessage, encodeMessage, OversizeError, UnencodableError } from '../src/messages/codec.js';
import { printMessage } from '../src/text/message.js';
import { FLOW_MODS } from './fixtures/flow-mods.js';
import { MESSAGE_CASES } from './fixtures/messages.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

const flows = path.resolve(import.meta.dirname, '../../test/fixtures/flows.tsv');

/** Flow-mods of each action and field, and a message of each kind in each version. */
export function seeds(): Uint8Array[] {
  const fromFlows = readFileSync(flows, 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[2] ?? '')
    .filter((hex) => /^[0-9a-f]+$/.test(hex));
  const hex = [...FLOW_MODS.map(([, text]) => text), ...fromFlows];
  const messages = MESSAGE_CASES.flatMap(([versions, msg]) =>
    versions.map((version) => encodeMessage(msg, version, 1)),
  );
  return [...hex.map((text) => new Uint8Array(Buffer.from(text, 'hex'))), ...messages];
}

/**
 * Decodes, prints, encodes again. What can be read has to be printed, and encoded or refused as something that cannot;
 * nothing else may be thrown. Returns what kind of message, or which error, it was.
 */
export function run(input: Uint8Array): string {
  const bytes = Uint8Array.from(input);
  // Most mutations change the length, and a wrong one is soon refused.
  if (bytes.length >= 8 && bytes[7] % 4 !== 0) {
    bytes[2] = bytes.length >> 8;
    bytes[3] = bytes.length & 255;
  }
  const printed = printMessage(bytes, { verbosity: 3 });
  const decoded = decodeMessage(bytes);
  if (decoded instanceof OfError) {
    if (decoded.name === undefined) throw new Error('an error without a name');
    return `${bytes[0] % 8}:${bytes[1] < 36 ? bytes[1] : ''}:${decoded.name}:${inside(bytes)}`;
  }
  try {
    encodeMessage(decoded.msg, Math.min(Math.max(decoded.version, 1), 6), decoded.xid);
  } catch (e) {
    if (!(e instanceof UnencodableError) && !(e instanceof OversizeError)) throw e;
  }
  // Of a flow also the last word printed, which is of its last action; other messages carry words of any kind.
  const word =
    decoded.msg.type === 'flow_mod'
      ? printed
          .slice(-200)
          .match(/\b[g-z][a-z_]{3,}/g)
          ?.at(-1)
      : '';
  return `${Math.min(decoded.version, 7)}:${decoded.msg.type}:${word ?? ''}`;
}

/** What the end of a message is as actions, instructions and a match. */
function inside(bytes: Uint8Array): string {
  const version = 1 + (bytes[0] % 6);
  const rest = bytes.slice(8);
  return [decodeActions(rest, version), decodeInstructions(rest, version), decodeMatchFields(rest)]
    .map((v) => {
      if (v instanceof OfError) return v.name;
      // The first word only: lists of any words would be outcomes without end.
      return Array.isArray(v) ? (/[a-z_]+/.exec(formatActions(v))?.[0] ?? '') : 'match';
    })
    .join();
}
