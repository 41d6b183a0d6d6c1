/**
 * The clock of OVS_FLOW_ATTR_USED. Netlink gives it as milliseconds of the system's monotonic clock, which both sides of
 * the interface read: here that is the clock of `process.hrtime`, the same in every process and worker of a host.
 * (`performance.now` runs alike but counts from the start of its own thread, hence the base.)
 */
const base = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the host's monotonic clock, with a fraction. Does not allocate. */
export function hostMonotonicMs(): number {
  return base + performance.now();
}
