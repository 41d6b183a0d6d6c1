/** Bundles: control messages, and the messages put into a bundle (OpenFlow 1.4; in 1.3 an ONF extension). */
import { fail } from '../errors.js';
import type { Writer } from '../wire.js';
import { forms, type MessageRows } from './row.js';
import type { BundleControl } from './types.js';

export const BUNDLE_CONTROLS: readonly BundleControl[] = [
  'open_request',
  'open_reply',
  'close_request',
  'close_reply',
  'commit_request',
  'commit_reply',
  'discard_request',
  'discard_reply',
];

export const BUNDLE_MESSAGES: MessageRows<'bundle_control' | 'bundle_add'> = {
  bundle_control: {
    forms: forms(
      ['OFPT14_BUNDLE_CONTROL', 'ONFT13_BUNDLE_CONTROL'],
      (w, m) => w.u32(m.bundleId).u16(BUNDLE_CONTROLS.indexOf(m.control)).u16(m.flags),
      (r) => {
        const bundleId = r.u32();
        const number = r.u16();
        return {
          type: 'bundle_control',
          bundleId,
          control: BUNDLE_CONTROLS[number] ?? 'unknown',
          flags: r.u16(),
        };
      },
    ),
  },
  bundle_add: {
    forms: forms(
      ['OFPT14_BUNDLE_ADD_MESSAGE', 'ONFT13_BUNDLE_ADD_MESSAGE'],
      (w: Writer, m: { bundleId: number; flags: number; message: Uint8Array }) =>
        w.u32(m.bundleId).u16(0).u16(m.flags).bytes(m.message),
      (r) => {
        const bundleId = r.u32();
        r.skip(2);
        const flags = r.u16();
        if (r.left < 8) fail('OFPBFC_MSG_BAD_LEN', `message of ${r.left} bytes in a bundle`);
        const at = r.pos;
        const length = (r.buf[at + 2] << 8) | r.buf[at + 3];
        if (r.buf[at] !== r.buf[0]) fail('OFPBFC_BAD_VERSION', `version ${r.buf[at]} in a bundle`);
        if (length < 8 || length > r.left)
          fail('OFPBFC_MSG_BAD_LEN', `message of ${length} bytes in a bundle`);
        for (let i = 4; i < 8; i++) {
          if (r.buf[at + i] !== r.buf[i]) fail('OFPBFC_MSG_BAD_XID', 'xid of a message in a bundle');
        }
        return { type: 'bundle_add', bundleId, flags, message: r.lent(length) };
      },
    ),
  },
};
