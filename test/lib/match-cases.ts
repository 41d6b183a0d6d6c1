/** Cases of answer-cases.ts: matches that text would say otherwise, so they are given in bytes. */
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { NO_BUFFER } from '@ovs-node/openflow/messages/types';
import { ask, filter, flow } from './answer-requests.js';
import { type AnswerCase, XID } from './answer-case.js';

/** A flow of these fields, in hexadecimal. */
function flowOf(version: number, fields: string, bufferId: number = NO_BUFFER): Uint8Array {
  const head = encodeMessage(flow('', 'drop', { bufferId }), version, XID).subarray(0, 48);
  const length = fields.length / 2 + 4;
  const match = Buffer.concat([Buffer.from([0, 1, 0, length]), Buffer.from(fields, 'hex')]);
  const bytes = Buffer.concat([head, match, Buffer.alloc(-length & 7)]);
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

const IPV6 = '80000a0286dd';
const LABEL = '80003804';
const MASKED_LABEL = '80003908';
const FRAGMENT = '00013401';
const MASKED_FRAGMENT = '00013502';
const RECIRC_ID = '00014804';
const MASKED_RECIRC_ID = '00014908';

export const MATCHES: readonly AnswerCase[] = [
  {
    name: 'masks with bits that a field does not have',
    versions: [3, 4, 5, 6],
    run: async (sides, version) => {
      await sides.send(version, flowOf(version, `${IPV6}${LABEL}00000005`));
      for (const mask of ['000fffff', '001fffff', '000ffff5', '80000005'])
        await sides.send(version, flowOf(version, `${IPV6}${MASKED_LABEL}00000005${mask}`));
      await sides.send(version, flowOf(version, `${IPV6}${FRAGMENT}01`));
      for (const mask of ['ff', '03', '07', '83', '05', '01'])
        await sides.send(version, flowOf(version, `${IPV6}${MASKED_FRAGMENT}01${mask}`));
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'whether packets are the rest of others, and of which, with a buffer that there is not, too',
    versions: [3, 4, 5, 6],
    run: async (sides, version) => {
      const fields = [`${RECIRC_ID}00000000`, `${RECIRC_ID}00000005`, `${MASKED_RECIRC_ID}0000000000000001`];
      for (const each of ['', ...fields])
        for (const bufferId of [5, NO_BUFFER]) await sides.send(version, flowOf(version, each, bufferId));
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
];
