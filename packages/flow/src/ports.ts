import { vlog } from '@ovs-node/common/vlog';
import { readDecimal } from './int-text.js';
import { scanNumber, stop } from './scan.js';

const log = vlog('ofp_port');

/** Names of the ports of one bridge, where flow text may use them instead of numbers. */
export interface PortMap {
  /** The OpenFlow port of a name, or undefined when there is none or the name is not unique. */
  nameToNumber(name: string): number | undefined;
  /** The name to print for an OpenFlow port, or undefined to print the number. */
  numberToName(port: number): string | undefined;
}

/** OpenFlow 1.1+ reserved port numbers, by the names that flow text uses. */
export const OFPP = {
  /** Lowest number of a reserved port. */
  MAX: 0xffffff00,
  UNSET: 0xfffffff7,
  IN_PORT: 0xfffffff8,
  TABLE: 0xfffffff9,
  NORMAL: 0xfffffffa,
  FLOOD: 0xfffffffb,
  ALL: 0xfffffffc,
  CONTROLLER: 0xfffffffd,
  LOCAL: 0xfffffffe,
  ANY: 0xffffffff,
} as const;

/** Names of the reserved ports, in the order in which they are looked up. */
const RESERVED: readonly (readonly [string, number])[] = [
  ['IN_PORT', OFPP.IN_PORT],
  ['TABLE', OFPP.TABLE],
  ['NORMAL', OFPP.NORMAL],
  ['FLOOD', OFPP.FLOOD],
  ['ALL', OFPP.ALL],
  ['CONTROLLER', OFPP.CONTROLLER],
  ['LOCAL', OFPP.LOCAL],
  ['ANY', OFPP.ANY],
  ['UNSET', OFPP.UNSET],
];
const reservedByName = new Map<string, number>([...RESERVED, ['NONE', OFPP.ANY]]);
const reservedByNumber = new Map<number, string>(RESERVED.map(([name, port]) => [port, name]));

/**
 * The OpenFlow 1.1+ port that `text` means: a decimal number, a reserved name in any case, or a name of `ports`
 * (in double quotes to tell it from a reserved name). Undefined when it means none.
 */
export function parsePort(text: string, ports?: PortMap): number | undefined {
  const plain = text.charCodeAt(1) > 57 ? -1 : scanNumber(text, 0, text.length);
  if (plain >= 0 && plain < 0xff00 && stop() === text.length) return plain;
  const named = reservedByName.get(text);
  if (named !== undefined) return named;
  if (text.startsWith('-')) {
    log.warn(`Negative value ${text} is not a valid port number.`);
    return undefined;
  }
  const n = readDecimal(text);
  if (n <= 0xffffffff) {
    if (n < 0xff00) return n;
    if (n <= 0xffff) {
      // 16-bit reserved ports move to where OpenFlow 1.1 has them.
      const port = (n | 0xffff0000) >>> 0;
      const name = reservedByNumber.get(port);
      if (name === undefined)
        log.warn(
          `port ${n} is a reserved OF1.0 port number that will be translated to ${port} when talking to an OF1.1 or later controller`,
        );
      else
        log.warnOnce(
          'numbers of reserved ports',
          `referring to port ${name} as ${n} is deprecated for compatibility with OpenFlow 1.1 and later`,
        );
      return port;
    }
    if (n >= OFPP.MAX) return n;
    log.warn(`port ${n} is outside the supported range 0 through ffff or 0xffffff00 through 0xffffffff`);
    return undefined;
  }
  const reserved = reservedByName.get(text.toUpperCase());
  if (reserved !== undefined) return reserved;
  if (ports === undefined) return undefined;
  let name: unknown = text;
  try {
    if (text.startsWith('"')) name = JSON.parse(text);
  } catch {
    return undefined;
  }
  const number = typeof name === 'string' ? ports.nameToNumber(name) : undefined;
  return number === OFPP.ANY ? undefined : number;
}

/** A reserved port's name, the name of `ports` as `formatName` has it, or the number. */
export function formatPort(port: number, ports?: PortMap): string {
  const n = port >>> 0;
  const reserved = reservedByNumber.get(n);
  if (reserved !== undefined) return reserved;
  const name = ports?.numberToName(n);
  if (name !== undefined) return formatName(name);
  return String(n >= OFPP.MAX ? n & 0xffff : n);
}

/** The name of a port or a table in text: in double quotes unless it is letters and digits, a letter first. */
export function formatName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(name) ? name : JSON.stringify(name);
}
