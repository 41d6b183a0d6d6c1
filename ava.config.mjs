// Tests are compiled by tsc first; ava runs the output. Files that need root or the peer skip themselves
// with a reason (see packages/common/src/testkit), and CI turns such a skip into a failure.
export default {
  files: ['packages/*/dist/test/**/*.test.js'],
  workerThreads: false,
  timeout: '120s',
};
