import test from 'ava';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { tableNames } from '../src/messages/table-names.js';
import type { OfMessage } from '../src/messages/types.js';
import { Maker } from '../src/testkit/generate.js';
import { Random } from '../src/testkit/random.js';

test('the names of tables are those that the whole features have', (t) => {
  const r = new Random(5);
  for (const version of [4, 5, 6]) {
    for (let n = 0; n < 50; n++) {
      const reply = new Maker(r, version).reply('table_features');
      if (reply?.type !== 'table_features') continue;
      const msg: OfMessage = { type: 'multipart_reply', reply, more: false };
      const bytes = encodeMessage(msg, version, 1);
      const decoded = decodeMessage(bytes);
      if (!('msg' in decoded)) continue;
      t.deepEqual(
        tableNames(bytes),
        reply.tables.map(({ tableId, name }) => [tableId, name]),
      );
    }
  }
});

test('what is cut, too short or of another kind gives no names', (t) => {
  const features = {
    tableId: 3,
    name: 'acl',
    metadataMatch: 0n,
    metadataWrite: 0n,
    config: 0,
    maxEntries: 5,
    properties: [],
  };
  const tables = [features, { ...features, tableId: 4, name: 'nat' }];
  const msg: OfMessage = {
    type: 'multipart_reply',
    reply: { type: 'table_features', tables },
    more: false,
  };
  const bytes = encodeMessage(msg, 4, 1);
  t.deepEqual(tableNames(bytes), [
    [3, 'acl'],
    [4, 'nat'],
  ]);
  t.deepEqual(tableNames(bytes.subarray(0, bytes.length - 1)), [[3, 'acl']]);
  bytes[16 + 64 + 1] = 63;
  t.deepEqual(tableNames(bytes), [[3, 'acl']]);
  bytes[16] = 0xff;
  t.deepEqual(tableNames(bytes), []);
  t.deepEqual(tableNames(encodeMessage({ type: 'barrier_reply' }, 4, 1)), []);
});
