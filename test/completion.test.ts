/** Completion in bash: what is offered for a word that was begun, with a database to ask. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Suite, checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { testWith } from './lib/requires.js';

const BASH = ['/bin/bash', '/usr/bin/bash'].find((path) => existsSync(path));
const SCRIPT = join(checkout, 'completions/openvswitch-tools.bash');

/** What bash would offer for `line`, whose last word is begun (or empty after a space). */
async function offered(suite: Suite, line: string): Promise<string[]> {
  const program = line.split(' ')[0]!;
  const text = `source '${SCRIPT}'
COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDBREAKS=$' \\t\\n"><=;|&(:\\''
_${program.replace('-', '_')}
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await runCommand(BASH as string, ['-c', text, 'bash', line], {
    env: { ...suite.env, PATH: [join(checkout, 'bin'), process.env['PATH']].join(delimiter) },
  });
  return stderr === '' ? stdout.trimEnd().split('\n') : [stderr];
}

testWith({ name: 'bash on Unix', met: BASH !== undefined && process.platform !== 'win32' })(
  'bash completes commands, options and the names in the database',
  async (t) => {
    await withSuite(t, { start: false }, async (suite) => {
      await suite.createDatabase();
      await suite.startDetached('ovsdb-server');
      await suite.vsctl('--no-wait', 'init', '--', 'add-br', 'br0', '--', 'add-br', 'br1');
      await suite.vsctl('--no-wait', 'add-port', 'br0', 'eth1');
      const cases: Readonly<Record<string, readonly string[]>> = {
        'ovs-vsctl add-p': ['add-port'],
        'ovs-vsctl --no-w': ['--no-wait'],
        'ovs-vsctl --may': ['--may-exist'],
        'ovs-vsctl -t 5 --db unix:x list-b': ['list-br'],
        'ovs-vsctl del-br ': ['br0', 'br1'],
        'ovs-vsctl list-br -- del-port br0 ': ['eth1'],
        'ovs-vsctl set br': ['bridge'],
        'ovs-vsctl list Qu': ['Queue'],
        'ovs-vsctl set b b': ['br0', 'br1'],
        'ovs-vsctl set bridge br0 fail': ['fail_mode='],
        'ovs-vsctl set bridge br0 fail_mode=': ['secure', 'standalone'],
        'ovs-vsctl set bridge br0 datapath_type=netdev stp_enable=t': ['true'],
        'ovs-vsctl set bridge br0 other_config:mac-': ['mac-aging-time=', 'mac-table-size='],
        'ovs-vsctl get port eth1 vl': ['vlan_mode'],
        'ovs-vsctl add-port br0 eth2 ta': ['tag='],
        'ovs-vsctl set-fail-mode br0 s': ['secure', 'standalone'],
        'ovs-vsctl set-controller br0 tcp:1.2.3.4 ss': ['ssl:'],
        'ovs-vsctl nonsense ': [''],
        'ovsdb-client mon': ['monitor', 'monitor-cond', 'monitor-cond-since'],
        'ovsdb-client --times': ['--timestamp'],
        'ovsdb-tool show': ['show-log'],
        'ovs-ofctl dump-fl': ['dump-flows'],
      };
      for (const [line, wanted] of Object.entries(cases))
        t.deepEqual((await offered(suite, line)).toSorted(), [...wanted].toSorted(), line);
    });
  },
);
