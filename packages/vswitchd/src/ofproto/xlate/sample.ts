/**
 * `sample`: a share of the packets for collectors of flows, by a `userspace` action in a `sample` of the datapath. There
 * have to be collectors (table Flow_Sample_Collector_Set), but not those that the action names: that is found out when a
 * packet comes.
 */
import { W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { Act, SampleAttr } from '@ovs-node/netlink/action-attrs';
import type { ActionOf } from '@ovs-node/openflow/actions/types';
import { ODPP_NONE } from '../types.js';
import { CookieType } from '../user-cookie.js';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { putUserspace } from './controller.js';

const DIRECTIONS = { ingress: 1, egress: 2 } as const;
/** Of all packets, for the datapath. */
const ALWAYS = 0xffffffff;

export function sampleAction(ctx: XlateContext, a: ActionOf<'sample'>): void {
  const { ofproto, flow, out } = ctx;
  if (!ofproto.settings.samplesFlows) return;
  const inPort = flow[W.IN_PORT]!;
  let outputPort = ODPP_NONE;
  // A sample at the port that the packet came in on is one of what comes in.
  if (a.samplingPort !== OFPP.ANY && a.samplingPort !== inPort) {
    outputPort = ofproto.port(a.samplingPort)?.dpPort ?? ODPP_NONE;
    if (outputPort === ODPP_NONE) {
      ctx.reportError(`can't use unknown port ${a.samplingPort & 0xffff} in flow sample action`);
      return;
    }
  }
  commit(ctx);
  const put = (): void =>
    putUserspace(ctx, {
      type: CookieType.FLOW_SAMPLE,
      ofproto: ofproto.uuid,
      inPort: inPort & 0xffff,
      probability: a.probability,
      collectorSet: a.collectorSet,
      obsDomain: a.obsDomain,
      obsPoint: a.obsPoint,
      outputPort,
      direction: a.direction === undefined ? 0 : DIRECTIONS[a.direction],
    });
  const probability = ((a.probability << 16) | a.probability) >>> 0;
  if (probability === ALWAYS) {
    put();
    return;
  }
  const sample = out.startNested(Act.SAMPLE);
  out.putU32(SampleAttr.PROBABILITY, probability);
  const actions = out.startNested(SampleAttr.ACTIONS);
  put();
  out.endNested(actions);
  out.endNested(sample);
}
