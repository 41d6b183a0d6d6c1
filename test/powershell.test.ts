/**
 * What can be known of the PowerShell module without PowerShell (Wine's is an empty shell): that it reads what
 * ovs-datapath-svc prints, and that each of its commands has help.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { checkout } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';

const module = readFileSync(join(checkout, 'powershell/OVS.psm1'), 'utf8');

test('its pattern reads the declared ports of switch/show', (t) =>
  withSuite(t, { start: false }, async (suite) => {
    await suite.createDatabase();
    await suite.startDetached('ovs-datapath-svc');
    const ask = (...words: string[]): Promise<string> => suite.appctl('-t', 'ovs-datapath-svc', ...words);
    await ask('switch/port-create', 'vm1 nic', 'ovs-port-a');
    await ask('switch/port-create', 'vm2');
    await ask('switch/port-rename', 'vm2', 'ovs-port-b');
    // .NET and JavaScript agree on what the pattern uses.
    const pattern = new RegExp(/^\$VifLine = '(.*)'$/m.exec(module)![1]!);
    const found = (await ask('switch/show'))
      .split('\n')
      .map((line) => pattern.exec(line)?.groups)
      .filter((groups) => groups !== undefined)
      .map(({ Vif, OVSPortName }) => [Vif, OVSPortName]);
    t.deepEqual(found, [
      ['vm1 nic', 'ovs-port-a'],
      ['vm2', 'ovs-port-b'],
    ]);
  }));

test('it exports five commands, each with help that shows an example', (t) => {
  const names = /^Export-ModuleMember -Function ([\s\S]*)$/m.exec(module)![1]!.trim().split(/,\s*/);
  t.is(names.length, 5);
  for (const name of names) {
    const help = new RegExp(`^function ${name} \\{\\s*<#([\\s\\S]*?)#>`, 'm').exec(module)?.[1];
    t.regex(help ?? '', /\.SYNOPSIS[\s\S]*\.PARAMETER[\s\S]*\.EXAMPLE/, name);
  }
});
