// How bundles are made: by bundle.mjs for this checkout, by package.mjs for standalone executables.
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

/** packages/x/src/a.ts -> packages/x/dist/src/a.js */
export const compiled = (entry) =>
  path.join(root, entry.replace(/^(packages\/[^/]+)\/src\//, '$1/dist/src/').replace(/\.ts$/, '.js'));

/**
 * Has each module of Node.js taken in once for all that import it: with a copy of its hundred names for each file that does,
 * 40 of them, ovs-ofctl took 7 % longer to start.
 */
const builtinsOnce = {
  name: 'builtins-once',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path: name, namespace, kind }) =>
      namespace === 'once' || kind !== 'import-statement'
        ? { path: name, external: true }
        : { path: name, namespace: 'once' },
    );
    build.onLoad({ filter: /./, namespace: 'once' }, ({ path: name }) => ({
      contents: `export { default } from "${name}"; export * from "${name}";`,
    }));
  },
};

export const settings = {
  outdir: path.join(root, 'dist'),
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  plugins: [builtinsOnce],
  // import() becomes require() in a promise: the ES module loader is not started for a CommonJS file.
  supported: { 'dynamic-import': false },
  // koffi is native code: it stays in node_modules, and is loaded only by what calls the system directly.
  external: ['koffi'],
  sourcemap: 'external',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // bin/load.cjs reads bundles as latin1, which other characters would not survive.
  charset: 'ascii',
  // Modules find files beside themselves by import.meta.url; in the bundle that is the bundle's own place.
  banner: { js: 'var __bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  define: { 'import.meta.url': '__bundleUrl' },
  logLevel: 'silent',
};
