/**
 * Fields whose prefixes a table can keep track of (ovs-vswitchd.conf.db(5), Flow_Table:prefixes), so that megaflows need no
 * more of an address than tells its prefixes apart.
 */
import { fieldByName } from '@ovs-node/flow/fields';
import { W } from '@ovs-node/flow/layout';

/** Where a field lies in the key, and the Ethernet type of the packets that have it; 0: all do. */
export interface PrefixField {
  readonly word: number;
  readonly words: number;
  readonly ethType: number;
}

const IP = 0x0800;
const IPV6 = 0x86dd;

export const PREFIX_FIELDS = {
  tun_id: { word: W.TUN_ID, words: 2, ethType: 0 },
  tun_src: { word: W.TUN_SRC, words: 1, ethType: 0 },
  tun_dst: { word: W.TUN_DST, words: 1, ethType: 0 },
  tun_ipv6_src: { word: W.TUN_IPV6_SRC, words: 4, ethType: 0 },
  tun_ipv6_dst: { word: W.TUN_IPV6_DST, words: 4, ethType: 0 },
  ct_nw_src: { word: W.CT_NW_SRC, words: 1, ethType: IP },
  ct_nw_dst: { word: W.CT_NW_DST, words: 1, ethType: IP },
  ct_ipv6_src: { word: W.CT_IPV6_SRC, words: 4, ethType: IPV6 },
  ct_ipv6_dst: { word: W.CT_IPV6_DST, words: 4, ethType: IPV6 },
  ip_src: { word: W.NW_SRC, words: 1, ethType: IP },
  ip_dst: { word: W.NW_DST, words: 1, ethType: IP },
  ipv6_src: { word: W.IPV6_SRC, words: 4, ethType: IPV6 },
  ipv6_dst: { word: W.IPV6_DST, words: 4, ethType: IPV6 },
} as const satisfies Readonly<Record<string, PrefixField>>;

export type PrefixFieldName = keyof typeof PREFIX_FIELDS;

/** Kept track of in the order in which they are asked, unless the database says otherwise. */
export const DEFAULT_PREFIXES: readonly PrefixFieldName[] = ['ip_dst', 'ip_src'];
const MAX_PREFIXES = 3;

/** What the database's list means. */
export interface PrefixChoice {
  /** Undefined: it names none that can be, and the default stays. */
  readonly fields: readonly PrefixFieldName[] | undefined;
  /** Why names were passed over, in the peer's words. */
  readonly problems: readonly string[];
}

/** Reads `Flow_Table:prefixes`. */
export function choosePrefixes(names: readonly string[]): PrefixChoice {
  const fields: PrefixFieldName[] = [];
  const problems: string[] = [];
  for (const text of names) {
    if (text === 'none') return { fields: [], problems };
    const name = fieldByName(text)?.name;
    if (name === undefined) problems.push(`'prefixes' with unknown field: ${text}`);
    else if (!isPrefixField(name)) problems.push(`'prefixes' with incompatible field: ${text}`);
    else if (fields.length >= MAX_PREFIXES)
      problems.push(`'prefixes' with too many fields, field not used: ${text}`);
    else fields.push(name);
  }
  return { fields: fields.length === 0 ? undefined : fields, problems };
}

function isPrefixField(name: string): name is PrefixFieldName {
  return Object.hasOwn(PREFIX_FIELDS, name);
}
