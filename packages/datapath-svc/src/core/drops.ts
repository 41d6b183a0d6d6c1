/** Packets dropped by a datapath, one counter per cause. */
export class DropCounters {
  /** Frame shorter than an Ethernet header. */
  malformed = 0;
  /** No flow matched and the port has no handler for upcalls. */
  noHandler = 0;
  /** Upcall (miss or action) whose handle is gone, did not subscribe, or has a full queue. */
  upcallLost = 0;
  /** Upcall for a frame too long for a netlink attribute. */
  upcallTooLong = 0;
  /** Action `drop`. */
  flow = 0;
  /** Output to a port that does not exist. */
  noPort = 0;
  /** Output of a packet without an Ethernet header: no port takes that. */
  notEthernet = 0;
  /** More recirculations than `RECIRC_LIMIT`. */
  recircLimit = 0;
  /** `ct(commit)` made no entry: the table is full. The packet goes on. */
  ctFull = 0;
  /** A meter's band. */
  meter = 0;
  /** An action that this interpreter does not know. */
  action = 0;
}
