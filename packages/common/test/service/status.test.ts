import test from 'ava';
import { ServiceStatus, WAIT_HINT_MS } from '../../src/service/status.js';

/** State, controls accepted, check point, wait hint, exit code, code of its own. */
const summary = (status: ServiceStatus): number[] => {
  const report = status.report();
  return [
    report.dwCurrentState,
    report.dwControlsAccepted,
    report.dwCheckPoint,
    report.dwWaitHint,
    report.dwWin32ExitCode,
    report.dwServiceSpecificExitCode,
  ];
};

test('a service starts, runs, stops: check points while something is pending, controls while it runs', (t) => {
  const status = new ServiceStatus();
  t.deepEqual(summary(status), [2, 0, 1, WAIT_HINT_MS, 0, 0]);
  t.is(status.progress()?.dwCheckPoint, 2);
  t.is(status.progress()?.dwCheckPoint, 3);
  status.running();
  t.deepEqual(summary(status), [4, 5, 0, 0, 0, 0]);
  t.is(status.progress(), null);
  status.stopping();
  t.deepEqual(summary(status), [3, 0, 1, WAIT_HINT_MS, 0, 0]);
  t.is(status.progress()?.dwCheckPoint, 2);
  status.stopped(0);
  t.deepEqual(summary(status), [1, 0, 0, 0, 0, 0]);
  t.is(status.progress(), null);
});

test('a service that cannot start stops with a code of its own, and stays stopped', (t) => {
  const status = new ServiceStatus();
  status.stopped(3);
  t.deepEqual(summary(status), [1, 0, 0, 0, 1066, 3]);
  status.running();
  status.stopping();
  status.stopped(0);
  t.deepEqual(summary(status), [1, 0, 0, 0, 1066, 3], 'the first reason is the one that is kept');
});

test('told twice to stop, it counts its check points on', (t) => {
  const status = new ServiceStatus();
  status.running();
  status.stopping();
  status.progress();
  status.stopping();
  t.is(status.report().dwCheckPoint, 2);
  status.running();
  t.is(status.state, 'stop-pending', 'readiness that comes too late changes nothing');
});
