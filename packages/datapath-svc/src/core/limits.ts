/** Port numbers are below this (as DP_MAX_PORTS of the Linux datapath). */
export const MAX_PORTS = 0xffff;
/** How often a packet may come back to the flow table before it is dropped, as in the peer's userspace datapath. */
export const RECIRC_LIMIT = 6;
/** How deep sample, clone and check_pkt_len may nest. */
export const MAX_NESTING = 16;
/** Contexts that a packet and its copies may need: one for each level of each list of actions, and one for segments. */
export const MAX_CONTEXTS = (RECIRC_LIMIT + 1) * (MAX_NESTING + 1) + 1;
/** Datapaths of one process: each has caches of about 2 MB. */
export const MAX_DATAPATHS = 256;
