/**
 * How long a connection lives after its last packet, by what it is doing. The values are the defaults of Open
 * vSwitch's userspace conntrack, in milliseconds. One expiry list exists per class, so classes are few.
 */
export const Timeout = {
  TCP_FIRST_PACKET: 0,
  TCP_OPENING: 1,
  TCP_ESTABLISHED: 2,
  TCP_CLOSING: 3,
  TCP_FIN_WAIT: 4,
  TCP_CLOSED: 5,
  OTHER_FIRST: 6,
  OTHER_MULTIPLE: 7,
  OTHER_BIDIR: 8,
  ICMP_FIRST: 9,
  ICMP_REPLY: 10,
} as const;

export const TIMEOUT_CLASSES = 11;

export const DEFAULT_TIMEOUTS: Float64Array = Float64Array.from(
  [30, 30, 24 * 60 * 60, 15 * 60, 45, 30, 60, 60, 30, 60, 30],
  (seconds) => seconds * 1000,
);
