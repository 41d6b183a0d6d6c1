/**
 * Options of a port: `key=value` pairs of Interface.options (and `mac`, `mtu_request` of the Interface columns) as
 * the payload of OVS_VPORT_ATTR_OPTIONS, one VPORT_OPTIONS.OPTION attribute each.
 */

import { parseMacBytes } from '@ovs-node/flow/addr-text';
import { NlReader, NlWriter } from '@ovs-node/netlink/attr';
import { VPORT_OPTIONS } from '@ovs-node/netlink/families';

export type PortOptions = ReadonlyMap<string, string>;

const MAX_OPTIONS = 64;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The payload of OVS_VPORT_ATTR_OPTIONS for `options`. */
export function encodePortOptions(options: Iterable<readonly [string, string]>): Uint8Array {
  const writer = new NlWriter();
  for (const [key, value] of options) writer.putString(VPORT_OPTIONS.OPTION.code, `${key}=${value}`);
  return writer.bytes();
}

/**
 * The options in `payload` (null: none); undefined when it is malformed: broken attributes, text that is not UTF-8,
 * an option without '=', more than 64. Other attributes (tunnels have some) are passed over.
 */
export function decodePortOptions(payload: Uint8Array | null): PortOptions | undefined {
  const options = new Map<string, string>();
  if (payload === null) return options;
  const reader = new NlReader(payload, 0, payload.length);
  while (reader.next()) {
    if (reader.type !== VPORT_OPTIONS.OPTION.code) continue;
    let text: string;
    try {
      text = decoder
        .decode(payload.subarray(reader.offset, reader.offset + reader.length))
        .replace(/\0$/, '');
    } catch {
      return undefined;
    }
    const equals = text.indexOf('=');
    if (equals <= 0 || options.size >= MAX_OPTIONS) return undefined;
    options.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return reader.malformed ? undefined : options;
}

/** Options from `key=value` words. @throws Error that quotes a word that is none. */
export function decodePortOptionText(words: readonly string[]): PortOptions {
  const options = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals <= 0) throw new Error(`${word}: not of the form KEY=VALUE`);
    options.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return options;
}

/** What the `mac` and `mtu_request` columns of an Interface ask for, where they do. */
export interface DeviceSettings {
  readonly mac: Uint8Array | undefined;
  readonly mtu: number | undefined;
}

/** The options that are settings of a device; undefined when one of them is no address or no MTU. */
export function deviceSettings(options: PortOptions): DeviceSettings | undefined {
  const macText = options.get('mac');
  const mac = parseMacBytes(macText);
  if (macText !== undefined && mac === undefined) return undefined;
  const mtuText = options.get('mtu_request');
  if (mtuText === undefined) return { mac, mtu: undefined };
  const mtu = Number(mtuText);
  return Number.isInteger(mtu) && mtu >= 68 && mtu <= 65535 ? { mac, mtu } : undefined;
}

/** Whether the two differ in device settings only, which can be changed while a port is in use. */
export function sameButSettings(a: PortOptions, b: PortOptions): boolean {
  const covers = (one: PortOptions, other: PortOptions): boolean =>
    [...one].every(([key, value]) => key === 'mac' || key === 'mtu_request' || other.get(key) === value);
  return covers(a, b) && covers(b, a);
}
