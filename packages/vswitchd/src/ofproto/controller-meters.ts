/**
 * `controller(meter_id=…)`: which meter of the datapath that is is found out when its actions come, and does not change when
 * meters come and go after that: by one that is not there then packets never go, and the number of one that is deleted may
 * be another meter's by then. So it is with the peer; it is the `meter` action that takes its flow with it.
 */
import type { Action, ActionOf } from '@ovs-node/openflow/actions/types';

/** A `controller` whose meter has been looked for. */
export interface MeteredController extends ActionOf<'controller'> {
  /** The datapath's number; undefined: there was no such meter. */
  readonly dpMeter: number | undefined;
}

/** The actions with the meters of all `controller` among them. @param dpMeter the datapath's number of a meter, if there is one. */
export function withMeters(
  actions: readonly Action[],
  dpMeter: (id: number) => number | undefined,
): readonly Action[] {
  return actions.map((action) => {
    switch (action.type) {
      case 'controller':
        return action.meterId === 0
          ? action
          : ({ ...action, dpMeter: dpMeter(action.meterId) } satisfies MeteredController);
      case 'clone':
        return { ...action, actions: withMeters(action.actions, dpMeter) };
      default:
        return action;
    }
  });
}
