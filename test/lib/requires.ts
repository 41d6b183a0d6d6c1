/**
 * Tests that need something of the machine. Where it is missing they are reported as skipped; in CI, which installs
 * everything, a missing requirement is a failure.
 */
import { spawnSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { peerAvailable, unlessMissing } from '@ovs-node/common/testkit/index';

export interface Requirement {
  readonly name: string;
  readonly met: boolean;
}

const has = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).error === undefined;

/** Root on Linux with iproute2 and ping: what network namespaces take. */
export const ROOT: Requirement = {
  name: 'root on Linux, iproute2, ping',
  met: process.platform === 'linux' && process.getuid?.() === 0 && has('ip', '-V') && has('ping', '-V'),
};
/** Open vSwitch 3.1 from Debian's packages. */
export const PEER: Requirement = {
  name: 'openvswitch-switch',
  met: process.platform === 'linux' && peerAvailable(),
};
export const TCPDUMP: Requirement = { name: 'tcpdump', met: has('tcpdump', '--version') };
export const IPERF: Requirement = { name: 'iperf3', met: has('iperf3', '--version') };

export type Body = (t: ExecutionContext) => void | Promise<void>;

/** ava's `test`, made to skip (or, in CI, to fail) when a requirement is not met. */
export function testWith(...requirements: Requirement[]): (title: string, run: Body) => void {
  const missing = requirements.filter((each) => !each.met).map((each) => each.name);
  return unlessMissing(test.serial, missing.length === 0 ? [] : [`needs ${missing.join(', ')}`]);
}
