/** Runs over generated messages, valid and mutated, and what is printed for them by this library. */
import { MESSAGES, encodeMessage, OversizeError, UnencodableError } from '../../src/messages/codec.js';
import { MULTIPART } from '../../src/messages/multipart.js';
import type { MultipartType, OfMessage, OfMessageType } from '../../src/messages/types.js';
import { Maker, XID } from './generate.js';
import type { Random } from './random.js';

/** All kinds of messages: types, and for multipart ones type and body. */
export const KINDS: readonly string[] = [
  ...Object.keys(MESSAGES),
  ...Object.keys(MULTIPART).flatMap((t) => [`request:${t}`, `reply:${t}`]),
];

/** One message of a kind in the bytes of a version; undefined when the version has none. */
export function generate(r: Random, kind: string, version: number): Uint8Array | undefined {
  const maker = new Maker(r, version);
  const [way, body] = kind.split(':') as [string, MultipartType | undefined];
  let msg: OfMessage | undefined;
  try {
    if (body === undefined) {
      msg = maker.message(way as Exclude<OfMessageType, 'multipart_request' | 'multipart_reply'>);
    } else if (way === 'request') {
      const request = maker.request(body);
      if (request === undefined) return undefined;
      msg = {
        type: 'multipart_request',
        request,
        more: r.chance(0.1),
        format: r.pick(['nxm', 'openflow10']),
      };
    } else {
      const reply = maker.reply(body);
      msg = { type: 'multipart_reply', reply, more: r.chance(0.1), format: r.pick(['nxm', 'openflow10']) };
    }
    return encodeMessage(msg, version, XID);
  } catch (e) {
    if (e instanceof UnencodableError || e instanceof OversizeError) return undefined;
    throw e;
  }
}

/** A copy with something wrong in it; its length field stays that of its bytes. */
export function mutate(r: Random, bytes: Uint8Array): Uint8Array {
  let out = new Uint8Array(bytes);
  const kind = r.below(6);
  const at = (): number => 8 + r.below(Math.max(1, out.length - 8));
  if (kind === 0) out = out.slice(0, 8 + r.below(out.length - 7));
  else if (kind === 1) {
    const longer = new Uint8Array(out.length + r.pick([1, 4, 8, 16]));
    longer.set(out);
    out = longer;
  } else {
    const n = 1 + r.below(3);
    for (let i = 0; i < n; i++) {
      const p = at();
      if (p >= out.length) continue;
      if (kind === 2) out[p] ^= 1 << r.below(8);
      else if (kind === 3) out[p] = r.pick([0, 1, 0xff, 0x7f, 0x80]);
      else if (kind === 4) out[p] = (out[p] + r.pick([1, 255, 8, 248])) & 255;
      else out[p] = r.u32() & 255;
    }
  }
  out[2] = out.length >> 8;
  out[3] = out.length & 255;
  return out;
}
