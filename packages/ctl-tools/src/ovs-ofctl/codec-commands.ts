/**
 * Commands that show the codecs at work, without a switch: matches, actions and instructions in hexadecimal or as TLV
 * text on standard input, hello and error messages, VLAN matches in each version.
 */
import { FatalError } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { parseMatch } from '@ovs-node/flow/match-text';
import {
  decodeActions,
  decodeInstructions,
  encodeActions,
  encodeInstructions,
} from '@ovs-node/openflow/actions/codec';
import { atoi } from '@ovs-node/openflow/actions/text-values';
import { checkActions } from '@ovs-node/openflow/actions/check';
import type { Action } from '@ovs-node/openflow/actions/types';
import { formatActionsIn } from '@ovs-node/openflow/actions/text';
import { ERRORS, type ErrorName } from '@ovs-node/openflow/error-table';
import { errorNumbers, guard, OfError } from '@ovs-node/openflow/errors';
import { readFieldHeader } from '@ovs-node/openflow/match/headers';
import { NX_MATCH, putFields, putNxMatch, putOxmMatch, readFields } from '@ovs-node/openflow/match/nxm';
import {
  FW10,
  putOfp10Match,
  putOfp11Match,
  readOfp10Match,
  readOfp11Match,
} from '@ovs-node/openflow/match/ofp10';
import { encodeMessage, HEADER_LENGTH, xidOf } from '@ovs-node/openflow/messages/codec';
import { highestVersion, sentErrorNumbers } from '@ovs-node/openflow/messages/switch';
import { scanU64, skipBlanks } from '@ovs-node/flow/int-text';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { formatMatchIn } from '@ovs-node/openflow/text/match';
import { printMessage } from '@ovs-node/openflow/text/message';
import { hex } from '@ovs-node/openflow/text/numbers';
import { PROTOCOLS } from '@ovs-node/openflow/text/protocols';
import { formatNxMatch, parseNxMatch } from '@ovs-node/openflow/text/nx-match';
import { VERSIONS, versionFromName } from '@ovs-node/openflow/version';
import { Reader, Writer } from '@ovs-node/openflow/wire';
import type { OfctlContext } from './context.js';
import { parseOrFail } from './flow-commands.js';
import { hexToBytes, plainHexDump } from './input.js';
import { inputLines, inputLinesThatSay } from './line-text.js';

const log = vlog('ofp_errors');

/** Bytes in hexadecimal, all of `text`. @throws FatalError */
function hexOrFail(text: string): Uint8Array {
  const bytes = hexToBytes(text);
  if (!bytes) throw new FatalError('Trailing garbage in hex data');
  return bytes;
}

/** Says where `b` differs from `a`, a byte a line. */
function differences(a: Uint8Array, b: Uint8Array): string {
  const text = (v: number | undefined): string =>
    v === undefined ? '(none)' : v.toString(16).padStart(2, '0');
  let out = '';
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] !== b[i]) out += `${String(i).padStart(2)}: ${text(a[i])} -> ${text(b[i])}\n`;
  }
  return out;
}

/** parse-nxm, parse-nx-match (version 1), parse-oxm: TLV text to bytes, to a match, and back. */
function parseTlvLines(c: OfctlContext, version: number): void {
  for (const line of inputLines()) {
    if (line.startsWith('#')) {
      process.stdout.write(`${line}\n`);
      continue;
    }
    const text = line.replace(/#.*/s, '');
    if (/^[ \t]*$/.test(text)) {
      process.stdout.write('\n');
      continue;
    }
    const bytes = parseOrFail(() => parseNxMatch(text));
    const read = guard(() =>
      readFields(new Reader(bytes, 0, bytes.length, 'OFPBMC_BAD_LEN', c.explain), {
        strict: c.settings.strict,
        cookie: version === 1,
      }),
    );
    if (read instanceof OfError) {
      process.stdout.write(`nx_pull_match() returned error ${read.toString()}\n`);
      continue;
    }
    const w = new Writer();
    let fields: Uint8Array;
    if (version === 1) {
      const length = putNxMatch(w, read.match, read.cookie, read.cookieMask);
      fields = w.finish().subarray(0, length);
    } else {
      putOxmMatch(w, read.match, version);
      const plain = new Writer();
      putFields(plain, read.match, version);
      fields = plain.finish();
    }
    process.stdout.write(`${formatNxMatch(fields)}\n`);
    if (c.settings.verbosity > 0) process.stdout.write(plainHexDump(w.finish()));
  }
}

export function parseNxm(c: OfctlContext): void {
  parseTlvLines(c, 1);
}

export function parseOxm(c: OfctlContext, [name]: readonly string[]): void {
  const version = versionFromName(name);
  if (version === undefined || version < 3) throw new FatalError(`${name}: not a valid version for OXM`);
  parseTlvLines(c, version);
}

/** Instructions, which have to be ones that a flow without a match could have. */
function checkedInstructions(
  c: OfctlContext,
  bytes: Uint8Array,
  version: number,
  tableId: number,
): Action[] | OfError {
  if (bytes.length === 0) {
    c.explain('long_list', 'instructions', 0, 0);
    return new OfError('OFPBIC_BAD_LEN', 'no instructions');
  }
  const actions = decodeInstructions(bytes, version, c.explain);
  if (actions instanceof OfError) return actions;
  const protocols = PROTOCOLS.find((p) => p.version === version)!.bit;
  const { error } = checkActions(actions, new Match(), { protocols, tableId, explain: c.explain });
  return error === undefined ? actions : new OfError(error, 'instructions of a flow that matches all');
}

/** Actions, of which there have to be some bytes. */
function someActions(c: OfctlContext, bytes: Uint8Array, version: number): Action[] | OfError {
  if (bytes.length === 0) {
    c.explain('long_list', 'actions', 0, 0);
    return new OfError('OFPBRC_BAD_LEN', 'no actions');
  }
  return decodeActions(bytes, version, c.explain);
}

/** Reads hex actions from standard input, one list a line, prints them, and what encoding them again changes. */
function parseHexActions(c: OfctlContext, versionText: string, instructions: boolean): void {
  const version = versionFromName(versionText);
  if (version === undefined) throw new FatalError(`${versionText}: not a valid OpenFlow version`);
  for (const line of inputLinesThatSay()) {
    // What stands before a comma is the table of the flow.
    const comma = line.indexOf(',');
    const tableId = comma < 0 ? 0 : atoi(line.slice(0, comma)) & 0xff;
    const bytes = hexOrFail(line.slice(comma + 1));
    const actions = instructions
      ? checkedInstructions(c, bytes, version, tableId)
      : someActions(c, bytes, version);
    if (actions instanceof OfError) {
      process.stdout.write(
        `bad ${versionText} ${instructions ? 'instructions' : 'actions'}: ${actions.toString()}\n\n`,
      );
      continue;
    }
    const again = instructions ? encodeInstructions(actions, version) : encodeActions(actions, version);
    process.stdout.write(
      `actions=${formatActionsIn(actions, c.plainOptions(0))}\n${differences(bytes, again)}\n`,
    );
  }
}

export function parseActionsCommand(c: OfctlContext, [version]: readonly string[]): void {
  parseHexActions(c, version, false);
}

export function parseInstructionsCommand(c: OfctlContext, [version]: readonly string[]): void {
  parseHexActions(c, version, true);
}

/** A fixed match structure of OpenFlow 1.0 or 1.1 in hexadecimal, to a match, and back. */
function parseFixedMatches(
  c: OfctlContext,
  length: number,
  read: (r: Reader) => Match,
  write: (w: Writer, match: Match) => void,
): void {
  for (const line of inputLinesThatSay()) {
    const bytes = hexOrFail(line);
    if (bytes.length !== length) {
      throw new FatalError(`Input is ${bytes.length} bytes, expected ${length}`);
    }
    const match = guard(() => read(new Reader(bytes, 0, bytes.length, 'OFPBRC_BAD_LEN', c.explain)));
    if (match instanceof OfError) {
      process.stdout.write(`bad ofp11_match: ${match.toString()}\n\n`);
      continue;
    }
    const w = new Writer();
    write(w, match);
    process.stdout.write(`${formatMatchIn(match, c.plainOptions(0))}\n${differences(bytes, w.finish())}\n`);
  }
}

export function parseOfp10Match(c: OfctlContext): void {
  parseFixedMatches(c, 40, readOfp10Match, putOfp10Match);
}

export function parseOfp11Match(c: OfctlContext): void {
  parseFixedMatches(c, 88, readOfp11Match, putOfp11Match);
}

const hex4 = (v: number): string => v.toString(16).padStart(4, '0');
const hex2 = (v: number): string => v.toString(16).padStart(2, '0');

/** `1005/ffff`: the VLAN word of a match. */
function tciText(match: Match): string {
  return `${hex4(match.key[W.VLAN0] & 0xffff)}/${hex4(match.mask[W.VLAN0] & 0xffff)}`;
}

/** Of VLAN fields in OXM: the id with its mask, and the priority, as they stand in the bytes. */
function oxmVlan(bytes: Uint8Array): string {
  let [vid, mask, pcp] = [0, 0, '--'];
  const r = new Reader(bytes);
  while (r.left > 0) {
    const h = readFieldHeader(r);
    if (h.field?.name === 'vlan_vid') {
      vid = r.u16();
      mask = h.masked ? r.u16() : 0x1fff;
    } else pcp = hex2(r.u8());
  }
  return `${hex4(vid)}/${hex4(mask)},${pcp}`;
}

/** `label: FIELDS -> READ`: a VLAN match in TLVs, and what they read as. */
function tlvVlan(c: OfctlContext, label: string, match: Match, version: number): string {
  const w = new Writer();
  putFields(w, match, version);
  const bytes = w.finish();
  // The peer tells of the first alone.
  const explain = version === NX_MATCH ? c.explain : undefined;
  const text = formatNxMatch(bytes, explain);
  const back = guard(() => readFields(new Reader(bytes, 0, bytes.length, 'OFPBMC_BAD_LEN', explain)));
  if (back instanceof OfError) return `${label}: ${text} -> ${back.toString()}\n`;
  return `${label}: ${text} -> ${version === NX_MATCH ? tciText(back.match) : oxmVlan(bytes)}\n`;
}

/** The same in a fixed structure: value and wildcard of id and priority. */
function fixedVlan(
  label: string,
  bytes: Uint8Array,
  at: { wildcards: number; vid: number; noPcp: number },
  back: Match | OfError,
): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const wild = view.getUint32(at.wildcards);
  const bit = (mask: number): number => ((wild & mask) === 0 ? 0 : 1);
  const read = back instanceof OfError ? back.toString() : tciText(back);
  return `${label}: ${hex4(view.getUint16(at.vid))}/${bit(2)},${hex2(bytes[at.vid + 2])}/${bit(at.noPcp)} -> ${read}\n`;
}

/** The lowest 16 bits of a number in hexadecimal, as strtoul() reads it: what is no digit ends it. */
function scanHex16(text: string): number {
  const [, sign, digits] = /^([-+]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]*)/.exec(
    text.slice(skipBlanks(text)),
  )!;
  return Number(scanU64(`${sign}0x0${digits}`).value & 0xffffn);
}

/** check-vlan: a VLAN match (word and mask in hexadecimal) in every form there is, and what each form reads as. */
export function checkVlan(c: OfctlContext, [tci, mask]: readonly string[]): void {
  const match = new Match();
  match.key[W.VLAN0] = scanHex16(tci);
  match.mask[W.VLAN0] = scanHex16(mask);
  // With colors the peer does not understand its own text, but says it first.
  const text = formatMatchIn(match, { colors: c.colors });
  process.stdout.write(`${text} -> `);
  const parsed = parseOrFail(() => parseMatch(text));
  const [w10, w11] = [new Writer(), new Writer()];
  putOfp10Match(w10, match);
  putOfp11Match(w11, match);
  const [b10, b11] = [w10.finish(), w11.finish()];
  process.stdout.write(
    `${tciText(parsed)}\n` +
      tlvVlan(c, 'NXM', match, NX_MATCH) +
      tlvVlan(c, 'OXM', match, 3) +
      fixedVlan(
        'OF1.0',
        b10,
        { wildcards: 0, vid: 18, noPcp: FW10.DL_VLAN_PCP },
        readOfp10Match(new Reader(b10)),
      ) +
      fixedVlan(
        'OF1.1',
        b11,
        { wildcards: 8, vid: 36, noPcp: 4 },
        guard(() => readOfp11Match(new Reader(b11))),
      ),
  );
}

function errorName(name: string): ErrorName {
  if (!Object.hasOwn(ERRORS, name)) throw new FatalError(`unknown error "${name}"`);
  return name as ErrorName;
}

/** print-error: the numbers of an error in each version. */
export function printError(_c: OfctlContext, [name]: readonly string[]): void {
  const error = errorName(name);
  for (const { version } of VERSIONS) {
    const n = errorNumbers(error, version);
    if (!n) continue;
    const vendor = n.vendor === 0 ? '0' : `0x${n.vendor.toString(16)}`;
    process.stdout.write(`OpenFlow 1.${version - 1}: vendor ${vendor}, type ${n.type}, code ${n.code}\n`);
  }
}

const LATEST = Math.max(...VERSIONS.map(({ version }) => version));

/** encode-error-reply: the bytes of an error in answer to a message in hexadecimal. */
export function encodeErrorReply(_c: OfctlContext, [name, text]: readonly string[]): void {
  const error = errorName(name);
  const request = hexOrFail(text);
  if (request.length < HEADER_LENGTH) throw new FatalError('Request too short');
  if (((request[2] << 8) | request[3]) !== request.length) throw new FatalError('Request size inconsistent');
  const known = VERSIONS.some(({ version }) => version === request[0]);
  const version = known ? request[0] : 1;
  if (!known) log.err(`cannot encode error for unknown OpenFlow version ${hex(request[0], 2)}`);
  if (!errorNumbers(error, version)) log.err(`cannot encode ${name} for OpenFlow 1.${version - 1}`);
  const xid = xidOf(request);
  // As much of the request as OpenFlow 1.0 asks for.
  const quoted = request.subarray(0, 64);
  const answer = new OfError(undefined, '', quoted, sentErrorNumbers(error, version));
  // A version that is not known is answered with the numbers of 1.0, which a later one has in the later form.
  const reply = encodeMessage({ type: 'error', error: answer }, Math.min(request[0] || 1, LATEST), xid);
  reply[0] = version;
  process.stdout.write(plainHexDump(reply));
}

/** encode-hello: the bytes of a hello with a bitmap of versions, and what it says. */
export function encodeHello(c: OfctlContext, [bitmap]: readonly string[]): void {
  // As strtol() reads it: what is no digit ends it.
  const versions = Number(BigInt.asUintN(32, scanU64(bitmap).value));
  if (!(versions > 1)) throw new FatalError(`${bitmap}: no OpenFlow version in the bitmap`);
  const bytes = encodeMessage({ type: 'hello', versions }, highestVersion(versions), 1);
  process.stdout.write(plainHexDump(bytes) + printMessage(bytes, c.plainOptions(0)));
}

/** parse-key-value: the pairs in each argument. */
export function parseKeyValue(_c: OfctlContext, args: readonly string[]): void {
  for (const text of args) {
    const pairs = parseKeyValues(text).map(({ key, value }) => (value === '' ? key : `${key}=${value}`));
    process.stdout.write(`${pairs.join(', ')}\n`);
  }
}
