// The flow tables that benchmarks use, the same on each machine.

const hex2 = (n) => n.toString(16).padStart(2, '0');

/** `n` lines of flow text: five kinds of flow in turn, as a virtual network has them, each with numbers of its own. */
export function flowLines(n) {
  return Array.from({ length: n }, (_, i) => {
    const [a, b, c] = [(i >> 16) & 255, (i >> 8) & 255, i & 255];
    const table = `table=${i % 50}`;
    switch (i % 5) {
      case 0:
        return `${table},priority=${100 + (i % 1000)},tcp,in_port=${(i % 500) + 1},nw_src=10.${a}.${b}.${c},nw_dst=192.168.${b}.0/24,tp_dst=${i % 65536},actions=mod_nw_dst:10.0.${b}.${c},output:${(i % 400) + 1}`;
      case 1:
        return `${table},priority=${i % 1000},dl_src=00:11:22:${hex2(a)}:${hex2(b)}:${hex2(c)},dl_dst=ff:ff:ff:ff:ff:ff,dl_vlan=${i % 4095},actions=strip_vlan,output:${(i % 400) + 1}`;
      case 2:
        return `cookie=0x${i.toString(16)},${table},ip,ct_state=+trk+est,ct_zone=${i % 1000},metadata=0x${i.toString(16)},reg0=0x${hex2(c)}/0xff,actions=load:0x${hex2(c)}->NXM_NX_REG1[0..15],resubmit(,${(i % 50) + 1})`;
      case 3:
        return `${table},udp6,ipv6_src=2001:db8:${hex2(a)}::${(i & 0xffff).toString(16)},ipv6_dst=fe80::/64,udp_dst=${i % 65536},actions=ct(commit,zone=${i % 1000},exec(set_field:0x${hex2(c)}->ct_mark)),set_field:00:01:02:03:04:${hex2(c)}->eth_dst,goto_table:${(i % 50) + 51}`;
      default:
        return `${table},idle_timeout=${i % 600},arp,arp_op=1,arp_tpa=10.${a}.${b}.${c},actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:0x2->NXM_OF_ARP_OP[],IN_PORT`;
    }
  });
}
