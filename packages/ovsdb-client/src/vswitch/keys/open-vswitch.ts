/** Keys of table Open_vSwitch. */
import { type TableKeys, stored, yes } from './key-doc.js';

export const OPEN_VSWITCH_KEYS = {
  external_ids: {
    'system-id': yes('Identifier of this host among others; start scripts choose it once.'),
    hostname: yes('Name of the host, for people and for controllers.'),
    rundir: yes('Folder of the sockets of the running switch, set by whoever starts it.'),
  },
  other_config: {
    'auto-add-vifs': yes(
      'Of this project: the bridge that NICs which connect by themselves become ports of.',
    ),
    'stats-update-interval': yes('Milliseconds between updates of the statistics columns, at least 5000.'),
    'flow-restore-wait': stored(
      'While true, no packets are handled: flows are being put back after a restart.',
    ),
    'flow-limit': stored('Most flows a datapath may hold; the switch may choose fewer. Default 200000.'),
    'max-idle': yes(
      'Milliseconds without packets after which a datapath flow goes. Default 10000, at least 500.',
    ),
    'max-revalidator': stored('Longest time between two rounds of revalidation, in ms. Default 500.'),
    'min-revalidate-pps': stored(
      'A flow with fewer packets per second is removed rather than revalidated under load.',
    ),
    'hw-offload': stored('Hands datapath flows to network hardware.'),
    'n-offload-threads': stored('Threads that hand flows to hardware, 1 to 10.'),
    'tc-policy': stored(
      'Where tc puts an offloaded flow: none leaves it to tc, skip_hw or skip_sw exclude one place.',
    ),
    'dpdk-init': stored('Starts DPDK: true, try (go on without it), or false.'),
    'dpdk-lcore-mask': stored('Cores, as a hexadecimal mask, on which the threads of DPDK run.'),
    'pmd-cpu-mask': stored('Cores, as a hexadecimal mask, on which polling threads run.'),
    'dpdk-alloc-mem': stored('MB of huge pages to take at start, from any NUMA node.'),
    'dpdk-socket-mem': stored('MB of huge pages to take at start, a number per NUMA node, with commas.'),
    'dpdk-socket-limit': stored('Most MB of huge pages per NUMA node, with commas.'),
    'dpdk-hugepage-dir': stored('Folder where the file system of huge pages is mounted.'),
    'dpdk-extra': stored('More arguments for the start of DPDK.'),
    'vhost-sock-dir': stored('Folder of vhost-user sockets, below the run folder.'),
    'vhost-iommu-support': stored('Offers virtual IOMMU to vhost-user clients.'),
    'vhost-postcopy-support': stored('Lets guests with vhost-user ports migrate while memory follows later.'),
    'per-port-memory': stored('A pool of packet buffers for each DPDK port in place of shared ones.'),
    'shared-mempool-config': stored(
      'Which shared pools of packet buffers are made ahead, as MTU:NODE pairs.',
    ),
    'tx-flush-interval': stored('Microseconds a packet may wait to be sent in a batch. Default 0.'),
    'pmd-perf-metrics': stored('Keeps detailed performance counters of polling threads.'),
    'smc-enable': stored('A cache by signatures between the exact-match cache and the megaflows.'),
    'pmd-rxq-assign': stored('How receive queues are given to polling threads: cycles, roundrobin or group.'),
    'pmd-rxq-isolate': stored('A thread with a pinned queue takes no others. Default true.'),
    'n-handler-threads': stored('Threads that handle packets without a datapath flow.'),
    'n-revalidator-threads': stored('Threads that revalidate datapath flows.'),
    'emc-insert-inv-prob': stored(
      'One of this many new flows enters the exact-match cache; 0 turns it off. Default 100.',
    ),
    'vlan-limit': yes(
      'VLAN tags that may be matched, at most 2; further ones are payload. 0 is as many as can be. Default 1.',
    ),
    'bundle-idle-timeout': yes(
      'Seconds after which an OpenFlow bundle that nobody touched is dropped. Default 10.',
    ),
    'offload-rebalance': stored('Moves the busiest flows into hardware when it is full.'),
    'pmd-auto-lb': stored('Spreads receive queues over polling threads again when load is uneven.'),
    'pmd-auto-lb-rebal-interval': stored('Least minutes between two such rebalancings. Default 1.'),
    'pmd-auto-lb-load-threshold': stored(
      'Load of a thread, in percent, that lets rebalancing be considered. Default 95.',
    ),
    'pmd-auto-lb-improvement-threshold': stored(
      'Least improvement in percent that a rebalancing has to bring. Default 25.',
    ),
    'pmd-maxsleep': stored('Microseconds a polling thread with little to do may sleep per round. Default 0.'),
    'userspace-tso-enable': stored('TCP segmentation offload on the ports of the userspace datapath.'),
    'enable-statistics': stored('Fills column statistics with facts about the host.'),
    private_key: stored('File with the private key of IPsec tunnels, PEM.'),
    certificate: stored('File with the certificate of IPsec tunnels, PEM.'),
    ca_cert: stored('File with the certificate of the authority that IPsec peers are checked by, PEM.'),
    ipsec_skb_mark: stored('Mark, as VALUE/MASK, of packets that must leave encrypted by IPsec.'),
  },
  statistics: {
    cpu: stored('Number of processors online.'),
    load_average: stored('Load of the last 1, 5 and 15 minutes, with commas.'),
    memory: stored('Total RAM, used RAM without caches, total and used swap, caches: in kB, with commas.'),
    process_NAME: stored(
      'Of each daemon with a pidfile: size, resident size, CPU ms, crashes, ms since both starts.',
    ),
    file_systems: stored(
      'Of each mounted local file system: MOUNT,TOTAL,USED in kB, with spaces between them.',
    ),
  },
} as const satisfies TableKeys<'Open_vSwitch'>;
