/** Flow monitors as text: the argument of `ovs-ofctl monitor SWITCH watch:…`. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { Match, newWords } from '@ovs-node/flow/match';
import { applyMatchWord, unknownWord } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { FMF, type FlowMonitorRequest } from '../messages/monitor-types.js';
import { ALL_TABLES, GROUP_ANY } from '../messages/types.js';
import type { FlowTextOptions } from './flow.js';
import { readTable } from './tables.js';

/** Words that leave something out, which a monitor otherwise has. */
const LEFT_OUT: Readonly<Record<string, number>> = {
  '!initial': FMF.INITIAL,
  '!add': FMF.ADD,
  '!delete': FMF.REMOVED,
  '!modify': FMF.MODIFY,
  '!actions': FMF.INSTRUCTIONS,
  '!own': FMF.ONLY_OWN,
};
const ALL = FMF.INITIAL | FMF.ADD | FMF.REMOVED | FMF.MODIFY | FMF.INSTRUCTIONS | FMF.ONLY_OWN;

/** A number as C's atoi reads it. */
function atoi(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

/**
 * Reads `!initial,table=3,ip,…`; the monitor has the number `id`.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseMonitor(
  text: string,
  id: number,
  o: FlowTextOptions = {},
): { request: FlowMonitorRequest; usable: number } {
  const words = newWords();
  let flags: number = ALL;
  let outPort: number = OFPP.ANY;
  let outGroup = GROUP_ANY;
  let tableId = ALL_TABLES;
  let usable = PROTO_ANY;
  for (const { key, value } of parseKeyValues(text)) {
    if (Object.hasOwn(LEFT_OUT, key)) {
      flags &= ~LEFT_OUT[key];
    } else if (key === 'table' && value !== '') {
      const table = readTable(value, o.tables);
      if (table === undefined) throw new FlowSyntaxError(`unknown table "${value}"`);
      tableId = table;
    } else if (key === 'out_port' && value !== '') {
      outPort = atoi(value);
    } else if (key === 'out_group' && value !== '') {
      outGroup = atoi(value);
    } else {
      const used = applyMatchWord(words, key, value, o.ports);
      if (used === undefined) throw new FlowSyntaxError(`${text}: ${unknownWord(key, value).message}`);
      usable &= used;
    }
  }
  const request = {
    id,
    command: 'add',
    flags,
    outPort,
    outGroup,
    tableId,
    match: Match.packedFrom(words),
  } as const;
  return { request, usable };
}
