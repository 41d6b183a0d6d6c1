/** Numbers in flow text, with the limits and the words of errors that `ovs-ofctl` has. */
import { MAC_PREFIX, parsePlainIp4, parseMac as readMac } from '@ovs-node/flow/addr-text';
import { vlog } from '@ovs-node/common/vlog';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { skipBlanks } from '@ovs-node/flow/int-text';
import { scanNumber, stop } from '@ovs-node/flow/scan';

const log = vlog('socket_util');

const NUMBER = /^[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** A plain decimal or 0x number that is all of `text`, below 2^53; -1 for anything else, which may be a number still. */
export function readPlain(text: string): number {
  const n = scanNumber(text, 0, text.length);
  return n >= 0 && stop() === text.length ? n : -1;
}

/** A number as C's strtoull(…, 0) reads it (decimal, 0x hexadecimal, 0 octal), or undefined. */
export function readNumber(text: string): bigint | undefined {
  const plain = readPlain(text);
  if (plain >= 0) return BigInt(plain);
  let t = text.slice(skipBlanks(text));
  if (!NUMBER.test(t)) return undefined;
  const negative = t.startsWith('-');
  if (negative || t.startsWith('+')) t = t.slice(1);
  const value = BigInt(/^0[0-7]+$/.test(t) ? `0o${t.slice(1)}` : t);
  return negative ? -value : value;
}

function bounded(text: string, name: string, max: number): number {
  const plain = readPlain(text);
  if (plain >= 0 && plain <= max) return plain;
  const v = readNumber(text);
  if (v === undefined || v < 0n || v > BigInt(max)) throw new FlowSyntaxError(`invalid ${name} "${text}"`);
  return Number(v);
}

/** An 8-bit number; `name` says what it is in the error. */
export function parseU8(text: string, name: string): number {
  return bounded(text, name, 0xff);
}
/** A 16-bit number. */
export function parseU16(text: string, name: string): number {
  return bounded(text, name, 0xffff);
}
/** A 32-bit number: the low bits of one of 64. */
export function parseU32(text: string): number {
  const plain = readPlain(text);
  if (plain >= 0 && plain <= 0xffffffff) return plain;
  return Number(BigInt.asUintN(32, parseU64(text)));
}
/** A 64-bit number; negative ones wrap. */
export function parseU64(text: string): bigint {
  if (text === '') throw new FlowSyntaxError('missing required numeric argument');
  const v = readNumber(text);
  if (v === undefined || v > MAX_U64 || v < -MAX_U64)
    throw new FlowSyntaxError(`invalid numeric format ${text}`);
  return BigInt.asUintN(64, v);
}
const MAX_U64 = 0xffffffffffffffffn;
/** An Ethernet address; what follows it is not looked at. */
export function parseMac(text: string): bigint {
  const mac = readMac(text) ?? readMac(MAC_PREFIX.exec(text)?.[0] ?? '');
  if (mac === undefined) throw new FlowSyntaxError(`invalid mac address ${text}`);
  return mac;
}

/** An IPv4 address, as an unsigned number. */
export function parseIpv4(text: string): number {
  const v = parsePlainIp4(text);
  if (v === undefined) {
    log.err(`"${text}" is not a valid IP address`);
    throw new FlowSyntaxError(`${text}: could not convert to IP address`);
  }
  return v;
}
/** `0x` and hexadecimal digits. */
export function hex(v: number | bigint, digits = 0): string {
  return `0x${v.toString(16).padStart(digits, '0')}`;
}
