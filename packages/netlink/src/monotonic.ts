/**
 * The clock of OVS_FLOW_ATTR_USED. Netlink gives it as milliseconds of the system's monotonic clock, which both
 * sides of the interface read: here that is `process.hrtime`, the same in every process and worker of a host
 * (`performance.now` is not: each counts from its own start).
 */
export function hostMonotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
