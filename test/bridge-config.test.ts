/** What the database says of a bridge and its tables, and what OpenFlow says of that: the same on both sides. */
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

testWith(PEER)(
  'descriptions and names of tables in the database are told by OpenFlow as by the peer',
  async (t) => {
    const [wanted, seen] = await ofBothSides(t, async (suite) => {
      await addDummyBridge(suite, 'br0');
      const told: string[] = [];
      const ask = async (...words: string[]): Promise<void> => {
        const { status, stdout, stderr } = await suite.run('ovs-ofctl', words);
        const text = `${words.join(' ')}: ${status}\n${stdout}${stderr}`;
        told.push(text.replaceAll(/xid=0x[0-9a-f]+/g, 'xid'));
      };
      for (const [description, serial] of [
        ['"a switch"', '77'],
        ['""', '""'],
        ['d'.repeat(300), 's'.repeat(40)],
      ]) {
        await suite.vsctl(
          'set',
          'bridge',
          'br0',
          `other_config:dp-desc=${description}`,
          `other_config:dp-sn=${serial}`,
        );
        await ask('dump-desc', 'br0');
      }
      await suite.vsctl('clear', 'bridge', 'br0', 'other_config');
      await ask('dump-desc', 'br0');

      const table = 'create flow_table name=first'.split(' ');
      await suite.vsctl('set', 'bridge', 'br0', 'flow_tables:3=@t', '--', '--id=@t', ...table);
      for (const name of ['other', 'firsts', 'fir', 'first', '']) {
        await ask('-O', 'OpenFlow15', 'mod-table', 'br0', '3', `name:${name}`);
        await ask('-O', 'OpenFlow15', 'mod-table', 'br0', '4', `name:${name}`);
        await ask('-O', 'OpenFlow15', '--names', 'dump-tables', 'br0');
      }
      await suite.vsctl('clear', 'bridge', 'br0', 'flow_tables');
      await ask('-O', 'OpenFlow15', 'mod-table', 'br0', '3', 'name:other');
      await ask('-O', 'OpenFlow15', '--names', 'dump-tables', 'br0');
      return told;
    });
    t.deepEqual(seen, wanted);
  },
);
