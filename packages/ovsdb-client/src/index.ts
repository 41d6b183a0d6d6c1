/** The OVSDB client library: data model, schema; session, replica and transactions beside them. */
export * from './data/index.js';
export * from './schema.js';
