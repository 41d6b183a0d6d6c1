/** Packets dropped by a datapath, one counter per cause. */
export class DropCounters {
  /** Frame shorter than an Ethernet header, or otherwise not to be parsed. */
  malformed = 0;
  /** No flow matched and the port has no handler for upcalls. */
  noHandler = 0;
  /** Upcall (miss or action) that did not fit into its handle's queue, or whose handle is gone. */
  upcallLost = 0;
  /** Flow whose actions are empty or `drop`. */
  flow = 0;
  /** Output to a port that does not exist. */
  noPort = 0;
  /** More recirculations than `RECIRC_LIMIT`. */
  recircLimit = 0;
  /** `ct` refused to make an entry: table or zone full. */
  ctFull = 0;
  /** An action met a frame it cannot work on (push_vlan without headroom, set on a truncated header). */
  action = 0;
}
