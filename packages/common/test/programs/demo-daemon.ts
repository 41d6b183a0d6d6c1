/** A daemon for the tests of daemon.ts: `--fail=TEXT` fails to start, `--crash` dies on the command `crash`. */
import { runDaemon } from '../../src/daemon.js';
import { FatalError } from '../../src/errors.js';
import fs from 'node:fs';

void runDaemon({
  name: 'demo-daemon',
  options: [
    { name: 'fail', arg: 'required' },
    { name: 'mark', arg: 'required' },
  ],
  help: () => 'demo-daemon: for tests\n',
  start: async ({ commandLine, unixctl }) => {
    const value = (name: string): string | undefined =>
      commandLine.options.find((o) => o.name === name)?.value;
    const fail = value('fail');
    const mark = value('mark');
    if (fail !== undefined) throw new FatalError(fail, 3);
    unixctl.register('crash', '', 0, 0, () => {
      setImmediate(() => {
        throw new Error('as asked');
      });
      return '';
    });
    unixctl.register('cwd', '', 0, 0, () => process.cwd());
    unixctl.register('echo', 'ARG...', 1, 3, (args) => args.join('|'));
    unixctl.register('slow', '', 0, 0, () => new Promise((resolve) => setTimeout(() => resolve('late'), 50)));
    await Promise.resolve();
    return {
      stop() {
        if (mark !== undefined) fs.appendFileSync(mark, 'stopped\n');
      },
    };
  },
});
