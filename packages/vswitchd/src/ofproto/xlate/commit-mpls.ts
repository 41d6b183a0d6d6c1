/** Emits the datapath actions that make the label stack of the packet in the datapath that of the flow. */
import { W } from '@ovs-node/flow/layout';
import { setU32 } from '@ovs-node/flow/views/bytes';
import { Act } from '@ovs-node/netlink/action-attrs';
import { KEY_ATTRS } from '@ovs-node/netlink/key-attrs';
import type { XlateContext } from './context.js';
import { countCommonLabels, countLabels, ETH_MPLS, ethType, popLabel, pushLabel } from './header.js';

/**
 * Keeps the entries that both have at the bottom.
 * @param encap entries are put before the whole packet, its Ethernet header included, and not below that.
 */
export function commitMpls(ctx: XlateContext, encap: boolean): void {
  const { flow, base, out } = ctx;
  let baseLabels = countLabels(base);
  const labels = countLabels(flow);
  let common = countCommonLabels(flow, labels, base, baseLabels);
  const type = ethType(flow);
  while (baseLabels > common) {
    if (baseLabels - 1 === common && labels > common) {
      // One entry differs, and one is wanted in its place.
      const entry = flow[W.MPLS + labels - baseLabels]!;
      const nest = out.startNested(Act.SET);
      const at = out.header(KEY_ATTRS.MPLS.code, 4);
      setU32(out.buf, at, entry);
      out.endNested(nest);
      base[W.MPLS] = entry;
      common++;
    } else {
      // What comes up when all are popped one by one is an entry until the last is gone.
      out.putBe16(Act.POP_MPLS, labels === 0 && baseLabels > 1 ? ETH_MPLS : type);
      popLabel(base, baseLabels, type);
      baseLabels--;
    }
  }
  for (; baseLabels < labels; baseLabels++) {
    const entry = flow[W.MPLS + labels - baseLabels - 1]!;
    const at = out.header(encap ? Act.ADD_MPLS : Act.PUSH_MPLS, 8);
    setU32(out.buf, at, entry);
    setU32(out.buf, at + 4, type << 16);
    pushLabel(base, baseLabels, type);
    base[W.MPLS] = entry;
  }
}
