/** The client library beside either side's server: what it follows survives that the server goes away. */
import test, { type ExecutionContext } from 'ava';
import type { Side } from '@ovs-node/ctl-tools/lab/suite';
import { Replica, changedSince } from 'ovsdb-client';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

type Tables = {
  readonly Bridge: { readonly _uuid: string; readonly name: string; readonly fail_mode: string };
};

async function outlives(t: ExecutionContext, side: Side): Promise<void> {
  await withSuite(t, { side, start: false }, async (suite, dir) => {
    await suite.createDatabase();
    await suite.startDetached('ovsdb-server');
    await suite.vsctl(
      '--no-wait',
      'init',
      '--',
      'add-br',
      'br0',
      '--',
      'add-br',
      'br1',
      '--',
      'add-br',
      'br2',
    );
    const replica = new Replica<Tables>({
      remote: `unix:${dir}/none,unix:${dir}/db.sock`,
      database: 'Open_vSwitch',
      tables: { Bridge: ['name', 'fail_mode'] },
      conditions: {
        Bridge: [
          ['name', '==', 'br0'],
          ['name', '==', 'br1'],
        ],
      },
      maxBackoffMs: 1000,
    });
    t.teardown(() => replica.close());
    const names = (): string[] => [...replica.rows('Bridge')].map((row) => row.name).toSorted();
    replica.start();
    await replica.ready({ timeoutMs: 30_000 });
    t.deepEqual(names(), ['br0', 'br1']);

    const told: string[] = [];
    replica.onRow('Bridge', ({ kind, old, new: now }) => told.push(`${kind} ${(now ?? old)!.name}`));
    const restart = async (): Promise<void> => {
      const gone = new Promise<void>((resolve) => {
        const off = replica.onState((state) => {
          if (state === 'live') return;
          off();
          resolve();
        });
      });
      await suite.stopOne('ovsdb-server');
      await gone;
    };
    await restart();
    t.deepEqual(names(), ['br0', 'br1'], 'readable while the server is away');
    await suite.startDetached('ovsdb-server');
    await suite.vsctl('--no-wait', 'set-fail-mode', 'br1', 'secure', '--', 'set-fail-mode', 'br2', 'secure');
    while (
      replica.row('Bridge', [...replica.rows('Bridge')].find(({ name }) => name === 'br1')?._uuid)
        ?.fail_mode !== 'secure'
    )
      await changedSince(replica, replica.changeNumber, { timeoutMs: 30_000 });
    t.deepEqual(told, ['modify br1'], 'only what is different, and only of the rows asked for');

    await restart();
    const changed = replica.setCondition('Bridge', [['name', '!=', 'br0']]);
    await suite.startDetached('ovsdb-server');
    await changed;
    t.deepEqual(names(), ['br1', 'br2'], 'a condition set while the server was away');
    t.deepEqual(told.slice(1).toSorted(), ['delete br0', 'insert br2']);
    await t.throwsAsync(replica.setCondition('Bridge', [['nome' as 'name', '==', 'x']]), {
      message: /No column nome/,
    });
    t.deepEqual(names(), ['br1', 'br2']);
  });
}

test.serial('conditions and contents outlive restarts of ovsdb-server of ours', (t) => outlives(t, 'ours'));
testWith(PEER)('conditions and contents outlive restarts of ovsdb-server of the peer', (t) =>
  outlives(t, 'peer'),
);
