/** Port numbers are below this (as DP_MAX_PORTS of the Linux datapath). */
export const MAX_PORTS = 0xffff;
/** Recirculations and nested clones of one packet before it is dropped. */
export const RECIRC_LIMIT = 8;
/** Datapaths of one process: each has caches of about 2 MB. */
export const MAX_DATAPATHS = 256;
