// Tests are compiled by tsc first; ava runs the output. What needs root or the peer skips itself with a reason
// (test/lib/requires.ts), and CI turns such a skip into a failure.
export default {
  files: ['packages/*/dist/test/**/*.test.js', 'test/dist/**/*.test.js'],
  workerThreads: false,
  concurrency: 2,
  timeout: '180s',
};
