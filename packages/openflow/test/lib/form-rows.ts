/** The forms that actions have on the wire, one row for each version that has one. */
import { INSTRUCTION_TABLE } from '../../src/actions/instruction-table.js';
import type { ActionRow, WireForm } from '../../src/actions/row.js';
import { ACTIONS } from '../../src/actions/table.js';
import type { Action, ActionType } from '../../src/actions/types.js';
import type { FlowMod } from '../../src/messages/types.js';
import { Writer } from '../../src/wire.js';
import { encodeFlow } from '../differential/compare.js';

export interface FormRow {
  /** As in fixtures, `form TYPE VENDOR/CODE`. */
  readonly row: string;
  readonly type: ActionType;
  readonly form: WireForm<Action>;
  readonly version: number;
}

export function formRows(): FormRow[] {
  const table = ACTIONS as unknown as Readonly<Record<ActionType, ActionRow>>;
  return (Object.keys(table) as ActionType[]).flatMap((type) =>
    table[type].wire.flatMap((form) =>
      Array.from({ length: form.to - form.from + 1 }, (_, i) => ({
        row: `form ${type} ${form.vendor.toString(16)}/${form.code}`,
        type,
        form,
        version: form.from + i,
      })),
    ),
  );
}

/** A flow-mod with a match and, in place of its actions, those in bytes; undefined when the version cannot say it. */
export function flowWithActions(
  flow: { readonly flowMod: FlowMod; readonly usable: number },
  actions: Uint8Array,
  version: number,
): Uint8Array | undefined {
  const bytes = encodeFlow({ ...flow.flowMod, actions: [] }, flow.usable, version, 1);
  if (bytes === undefined) return undefined;
  const w = new Writer();
  w.bytes(bytes);
  if (version > 1)
    w.u16(INSTRUCTION_TABLE.apply.type)
      .u16(8 + actions.length)
      .zeros(4);
  w.bytes(actions);
  w.setU16(2, w.length);
  return w.finish();
}
