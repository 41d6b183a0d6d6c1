/** The OVSDB data model in one import. */
export * from './atom.js';
export * from './atom-format.js';
export * from './condition.js';
export * from './datum.js';
export * from './datum-json.js';
export * from './datum-text.js';
export * from './error.js';
export * from './json.js';
export * from './mutation.js';
export * from './native.js';
export * from './row.js';
export * from './type.js';
export * from './type-english.js';
export * from './type-json.js';
export * from './uuid.js';
