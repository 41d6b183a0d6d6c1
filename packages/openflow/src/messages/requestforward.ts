/** Requests of other controllers, forwarded (OpenFlow 1.4; an ONF extension in 1.3, Nicira's before). */
import { fail } from '../errors.js';
import { forms, type MessageRows } from './row.js';

export const FORWARD_MESSAGES: MessageRows<'requestforward'> = {
  requestforward: {
    forms: forms<{ message: Uint8Array }>(
      ['NXT_REQUESTFORWARD', 'ONFT13_REQUESTFORWARD', 'OFPT14_REQUESTFORWARD'],
      (w, m) => w.bytes(m.message),
      (r) => {
        const length = (r.buf[r.pos + 2] << 8) | r.buf[r.pos + 3];
        if (length > r.left || length < 8) fail('OFPBFC_MSG_BAD_LEN', `forwarded request of ${length} bytes`);
        return { type: 'requestforward', message: r.bytes(length) };
      },
    ),
  },
};
