/** A schema with every type, constraint and kind of reference, for tests. */
import { type DatabaseSchema, schemaFromJson } from 'ovsdb-client/schema';
import type { JsonObject } from 'ovsdb-client/data/json';

const optional = (key: unknown): unknown => ({ key, min: 0, max: 1 });
const set = (key: unknown): unknown => ({ key, min: 0, max: 'unlimited' });

export const TEST_SCHEMA_JSON = {
  name: 'T',
  version: '1.0.0',
  cksum: '1 2',
  tables: {
    all: {
      isRoot: true,
      columns: {
        s: { type: 'string' },
        i: { type: 'integer' },
        r: { type: 'real' },
        b: { type: 'boolean' },
        oi: { type: optional({ type: 'integer', minInteger: -3, maxInteger: 10 }) },
        or: { type: optional('real') },
        os: { type: optional({ type: 'string', minLength: 1, maxLength: 3 }) },
        is: { type: set('integer') },
        i3: { type: { key: 'integer', min: 1, max: 3 } },
        rs: { type: set('real') },
        ss: { type: set('string') },
        bs: { type: set('boolean') },
        e: { type: set({ type: 'string', enum: ['set', ['x', 'y', 'z']] }) },
        m: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        mi: { type: { key: 'integer', value: 'integer', min: 0, max: 4 } },
        m1: { type: { key: 'string', value: 'integer', min: 0, max: 1 } },
        fixed: { type: 'string', mutable: false },
        gone: { type: 'string', ephemeral: true },
        strong: { type: set({ type: 'uuid', refTable: 'leaf' }) },
        mstrong: {
          type: { key: 'string', value: { type: 'uuid', refTable: 'leaf' }, min: 0, max: 'unlimited' },
        },
        weak: { type: set({ type: 'uuid', refTable: 'idx', refType: 'weak' }) },
      },
    },
    leaf: {
      columns: {
        name: { type: 'string' },
        next: { type: optional({ type: 'uuid', refTable: 'leaf' }) },
      },
    },
    idx: {
      isRoot: true,
      maxRows: 5,
      columns: { name: { type: 'string' }, k: { type: 'integer' } },
      indexes: [['name'], ['k', 'name']],
    },
  },
} as unknown as JsonObject;

export function testSchema(): DatabaseSchema {
  return schemaFromJson(TEST_SCHEMA_JSON);
}
