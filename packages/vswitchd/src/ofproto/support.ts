/**
 * What the datapath can do (ovs-vswitchd.conf.db(5), "Datapath", capabilities), for controllers that choose their flows by
 * it: OVN leaves NAT to the address zero out of its flows where there is none. All datapaths here are one implementation,
 * so that nothing is found out: it is known.
 */
import { getVlanLimit } from '@ovs-node/flow/extract';
import { MAX_LABELS } from '@ovs-node/flow/layout';

interface Ability {
  /** As `dpif/show-dp-features` calls it; undefined: it does not speak of it. */
  readonly title?: string;
  /** Its key in `capabilities`; undefined: not told there. */
  readonly key?: string;
  readonly value: boolean | number | (() => number);
}

/** In the order of `dpif/show-dp-features`. */
const ABILITIES: readonly Ability[] = [
  { title: 'Masked set action', key: 'masked_set_action', value: true },
  // Packets of tunnels are not carried.
  { title: 'Tunnel push pop', key: 'tnl_push_pop', value: false },
  { title: 'Ufid', key: 'ufid', value: true },
  { title: 'Truncate action', key: 'trunc', value: true },
  { title: 'Clone action', key: 'clone', value: true },
  // Of those that are asked for: what can be nested can be nested deeper.
  { title: 'Sample nesting', value: 10 },
  { key: 'sample_nesting', value: true },
  { title: 'Conntrack eventmask', key: 'ct_eventmask', value: true },
  { title: 'Conntrack clear', key: 'ct_clear', value: true },
  { title: 'Max dp_hash algorithm', key: 'max_hash_alg', value: 1 },
  { title: 'Check pkt length action', key: 'check_pkt_len', value: true },
  { title: 'Conntrack timeout policy', key: 'ct_timeout', value: false },
  { title: 'Explicit Drop action', key: 'explicit_drop_action', value: true },
  // There are no bonds.
  { title: 'Optimized Balance TCP mode', key: 'lb_output_action', value: false },
  { title: 'Conntrack all-zero IP SNAT', key: 'ct_zero_snat', value: false },
  { title: 'MPLS Label add', key: 'add_mpls', value: true },
  { title: 'Max VLAN headers', key: 'max_vlan_headers', value: getVlanLimit },
  { title: 'Max MPLS depth', key: 'max_mpls_depth', value: MAX_LABELS },
  { title: 'Recirc', key: 'recirc', value: true },
  { title: 'CT state', key: 'ct_state', value: true },
  { title: 'CT zone', key: 'ct_zone', value: true },
  { title: 'CT mark', key: 'ct_mark', value: true },
  { title: 'CT label', key: 'ct_label', value: true },
  // Connections are tracked, addresses not translated.
  { title: 'CT state NAT', key: 'ct_state_nat', value: false },
  { title: 'CT orig tuple', key: 'ct_orig_tuple', value: true },
  { title: 'CT orig tuple for IPv6', key: 'ct_orig_tuple6', value: true },
  { title: 'IPv6 ND Extension', key: 'nd_ext', value: true },
  { key: 'ct_flush', value: true },
];

/** `Datapath.capabilities` of a datapath that is there, as it is configured now. */
export function capabilities(): ReadonlyMap<string, string> {
  return new Map(
    ABILITIES.flatMap(({ key, value }): [string, string][] =>
      key === undefined ? [] : [[key, String(current(value))]],
    ),
  );
}

/** What `dpif/show-dp-features` prints. */
export function showFeatures(): string {
  return ABILITIES.flatMap(({ title, value }) => {
    if (title === undefined) return [];
    const now = current(value);
    return [`${title}: ${now === true ? 'Yes' : now === false ? 'No' : now}\n`];
  }).join('');
}

function current(value: Ability['value']): boolean | number {
  return typeof value === 'function' ? value() : value;
}
