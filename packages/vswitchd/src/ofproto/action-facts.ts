/**
 * What a switch needs to know of a list of actions beside carrying it out: what they name that may come and go, and what
 * their flow is by them. Found in one walk, as it is asked for again and again while a flow is checked, added and removed
 * (`npm run bench:openflow`, "--bundle add-flows, switch of ours": a walk for each took 7 % of the switch's time).
 */
import { LEARN } from '@ovs-node/openflow/actions/learn';
import type { Action } from '@ovs-node/openflow/actions/types';
import type { ConjunctionPart } from './conjunction.js';
import type { LearnedCookie } from './learned-cookies.js';

/** A group or a meter. */
export interface NamedThing {
  readonly kind: 'group' | 'meter';
  readonly id: number;
}

export interface ActionFacts {
  /** Indexes of the tunnel options that are named, `tun_metadata<index>`. */
  readonly tunnelOptions: readonly number[];
  /** Groups and meters in the order in which they are named. */
  readonly named: readonly NamedThing[];
  /** Numbers of the groups that are sent to. */
  readonly groups: readonly number[];
  /** Numbers of the meters that are used. */
  readonly meters: readonly number[];
  /** Whether packets to controllers are to go by a meter of their own. */
  readonly metersController: boolean;
  /** Where flows are taught that go with the last of their teachers. */
  readonly taught: readonly LearnedCookie[];
  /** The conjunctions that the flow contributes to; null for one that acts by itself. */
  readonly conjunction: readonly ConjunctionPart[] | null;
  /** Whether there are conjunctions among actions that a flow with conjunctions cannot have. */
  readonly isMixed: boolean;
}

const NONE: readonly never[] = [];

/** Of most lists, for which nothing is made. */
const NOTHING: ActionFacts = {
  tunnelOptions: NONE,
  named: NONE,
  groups: NONE,
  meters: NONE,
  metersController: false,
  taught: NONE,
  conjunction: null,
  isMixed: false,
};

/** What one walk finds. */
class Findings implements ActionFacts {
  readonly tunnelOptions: number[] = [];
  readonly named: NamedThing[] = [];
  readonly groups: number[] = [];
  readonly meters: number[] = [];
  metersController = false;
  readonly taught: LearnedCookie[] = [];
  conjunction: ConjunctionPart[] | null = null;
  isMixed = false;
}

/** What was asked for last: a flow-mod's list is asked for several times in a row. */
let lastList: readonly Action[] = NONE;
let lastFacts: ActionFacts = NOTHING;

/** What actions and those inside of them name. `actions` must not change from then on. */
export function factsOf(actions: readonly Action[]): ActionFacts {
  if (actions === lastList) return lastFacts;
  const found = walk(actions, undefined, true);
  if (found !== undefined && found.conjunction !== null)
    found.isMixed = actions.some(({ type }) => type !== 'conjunction' && type !== 'note');
  lastList = actions;
  return (lastFacts = found ?? NOTHING);
}

/**
 * Adds to `found` what a list has.
 * @param isWhole whether it is all of a flow's actions, and not inside of one.
 * @returns what has been found so far; undefined: nothing.
 */
function walk(
  actions: readonly Action[],
  found: Findings | undefined,
  isWhole: boolean,
): Findings | undefined {
  let all = found;
  for (const action of actions) {
    const options = optionsNamed(action);
    if (options !== undefined) (all ??= new Findings()).tunnelOptions.push(...options);
    switch (action.type) {
      case 'group':
        (all ??= new Findings()).groups.push(action.group);
        all.named.push({ kind: 'group', id: action.group });
        break;
      case 'meter':
        (all ??= new Findings()).meters.push(action.meter);
        all.named.push({ kind: 'meter', id: action.meter });
        break;
      case 'controller':
        if (action.meterId !== 0) (all ??= new Findings()).metersController = true;
        break;
      case 'learn':
        if ((action.learn.flags & LEARN.DELETE_LEARNED) === 0) break;
        (all ??= new Findings()).taught.push(action.learn);
        break;
      case 'conjunction': {
        if (!isWhole) break;
        const { id, clause, nClauses } = action;
        ((all ??= new Findings()).conjunction ??= []).push({ id, clause, nClauses });
        break;
      }
      case 'write_actions':
      case 'clone':
      case 'ct':
        all = walk(action.actions, all, false);
        break;
    }
  }
  return all;
}

/** The numbers of the tunnel options that an action itself names. */
function optionsNamed(action: Action): readonly number[] | undefined {
  switch (action.type) {
    case 'set_field':
    case 'delete_field':
      return optionIndexes(action.field);
    case 'move':
      return optionIndexes(action.src.field, action.dst.field);
    case 'push':
    case 'pop':
      return optionIndexes(action.subfield.field);
    case 'output_reg':
      return optionIndexes(action.src.field);
    case 'multipath':
    case 'bundle_load':
    case 'check_pkt_larger':
      return optionIndexes(action.dst.field);
    case 'ct':
      return typeof action.zone === 'number' ? undefined : optionIndexes(action.zone.field);
    case 'learn': {
      const { specs, resultDst } = action.learn;
      const names = specs.flatMap(({ src, dstField }) => [
        ...('field' in src ? [src.field.field] : []),
        ...(dstField ? [dstField.field] : []),
      ]);
      return optionIndexes(...names, ...(resultDst ? [resultDst.field] : []));
    }
    default:
      return undefined;
  }
}

function optionIndexes(...names: readonly string[]): readonly number[] | undefined {
  let indexes: number[] | undefined;
  for (const name of names)
    if (name.startsWith(OPTION)) (indexes ??= []).push(Number(name.slice(OPTION.length)));
  return indexes;
}
const OPTION = 'tun_metadata';
