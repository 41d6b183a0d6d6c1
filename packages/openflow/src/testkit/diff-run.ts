/** Runs over generated messages, valid and mutated, and what is printed for them by this library. */
import { MESSAGES, encodeMessage, OversizeError, UnencodableError } from '../messages/codec.js';
import { MULTIPART } from '../messages/multipart.js';
import type { MultipartType, OfMessage, OfMessageType } from '../messages/types.js';
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
