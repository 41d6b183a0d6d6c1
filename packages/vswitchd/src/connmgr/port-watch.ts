/** What connections were last told of each port, to find out what is new. */
import { PC, type PhyPort, PS } from '@ovs-node/openflow/messages/types';
import type { Ofproto } from '../ofproto/ofproto.js';

export type PortChange = 'add' | 'delete' | 'modify';

interface Known {
  phy: PhyPort;
  /** When the port came, ms. */
  readonly since: number;
}

export class PortWatch {
  readonly #ofproto: Ofproto;
  readonly #known = new Map<number, Known>();

  constructor(ofproto: Ofproto) {
    this.#ofproto = ofproto;
  }

  /**
   * Compares the ports with the known ones, and calls `tell` for each difference: deletions first. `before` is what was
   * known of a port that is another now.
   */
  update(now: number, tell: (change: PortChange, phy: PhyPort, before?: PhyPort) => void): void {
    for (const [number, { phy }] of this.#known) {
      if (this.#ofproto.port(number)?.name === phy.name) continue;
      this.#known.delete(number);
      tell('delete', phy);
    }
    for (const port of this.#ofproto.portsInOrder()) {
      const known = this.#known.get(port.ofport);
      if (known === undefined) {
        this.#known.set(port.ofport, { phy: port.phy, since: now });
        // That it is live is what comes next, as with the peer.
        const state = port.phy.state & ~PS.LIVE;
        const fresh = { ...port.phy, state };
        tell('add', fresh);
        if (state !== port.phy.state) tell('modify', port.phy, fresh);
      } else if (known.phy !== port.phy) {
        const before = known.phy;
        known.phy = port.phy;
        // That it is no longer live comes before why that is, as with the peer.
        const state = (port.phy.state & PS.LIVE) === 0 ? before.state & ~PS.LIVE : before.state;
        const waning = state === before.state ? before : { ...before, state };
        if (waning !== before) tell('modify', waning, before);
        if (!samePhy(waning, port.phy)) tell('modify', port.phy, waning);
      }
    }
  }

  /** Takes note of a change that connections were told of already. */
  noted(number: number): void {
    const known = this.#known.get(number);
    const port = this.#ofproto.port(number);
    if (known && port) known.phy = port.phy;
  }

  /** How long a port has been there, ms; undefined when nobody looked since it came. */
  age(number: number, now: number): number | undefined {
    const known = this.#known.get(number);
    return known === undefined ? undefined : now - known.since;
  }
}

function samePhy(a: PhyPort, b: PhyPort): boolean {
  return (Object.keys(a) as (keyof PhyPort)[]).every((key) => a[key] === b[key]);
}

/** Bits of a port's configuration that OFPT_PORT_MOD can change. */
export const MODIFIABLE =
  PC.PORT_DOWN | PC.NO_STP | PC.NO_RECV | PC.NO_RECV_STP | PC.NO_FLOOD | PC.NO_FWD | PC.NO_PACKET_IN;
