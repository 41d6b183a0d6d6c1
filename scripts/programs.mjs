// The programs of the suite and the compiled file each begins with.
// Read by bundle.mjs (one bundle and one launcher each) and bench-start.mjs.

/** Program name -> entry point in TypeScript. */
export const PROGRAMS = {
  'ovsdb-server': 'packages/ovsdb-server/src/programs/ovsdb-server.ts',
  'ovsdb-tool': 'packages/ovsdb-server/src/programs/ovsdb-tool.ts',
  'ovsdb-client': 'packages/ctl-tools/src/ovsdb-client/main.ts',
  'ovs-vswitchd': 'packages/vswitchd/src/programs/ovs-vswitchd.ts',
  'ovs-datapath-svc': 'packages/datapath-svc/src/programs/ovs-datapath-svc.ts',
  'ovs-vsctl': 'packages/ctl-tools/src/ovs-vsctl/main.ts',
  'ovs-ofctl': 'packages/ctl-tools/src/ovs-ofctl/main.ts',
  'ovs-dpctl': 'packages/ctl-tools/src/ovs-dpctl/main.ts',
  'ovs-appctl': 'packages/ctl-tools/src/ovs-appctl/main.ts',
  'ovs-service': 'packages/ctl-tools/src/ovs-service/main.ts',
};

/** Worker threads, loaded by file name from beside the bundle: bundle name -> possible entries. */
export const WORKERS = {
  'datapath-worker': [
    'packages/datapath-svc/src/worker/datapath-worker.ts',
    'packages/datapath-svc/src/worker/main.ts',
    'packages/datapath-svc/src/worker/worker.ts',
  ],
};
