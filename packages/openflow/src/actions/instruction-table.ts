/**
 * The instructions of OpenFlow 1.1 and later, one row each, in the order in which they are executed and written. What is in
 * one stands in `codec.ts`; actions say which they belong to (`ActionRow.instruction`).
 */
export interface InstructionRow {
  readonly type: number;
  /** Bytes; undefined: those of what is in it. */
  readonly length: number | undefined;
  /** As flows and features name it. */
  readonly name: string;
  /** First and last version (numbers on the wire) that have it; the peer understands a meter before 1.3, too. */
  readonly from: number;
  readonly to: number;
}

export const INSTRUCTION_TABLE = {
  // Meters became an action in 1.5.
  meter: { type: 6, length: 8, name: 'meter', from: 4, to: 5 },
  apply: { type: 4, length: undefined, name: 'apply_actions', from: 2, to: 6 },
  clear: { type: 5, length: 8, name: 'clear_actions', from: 2, to: 6 },
  write: { type: 3, length: undefined, name: 'write_actions', from: 2, to: 6 },
  metadata: { type: 2, length: 24, name: 'write_metadata', from: 2, to: 6 },
  goto: { type: 1, length: 8, name: 'goto_table', from: 2, to: 6 },
} as const satisfies Readonly<Record<string, InstructionRow>>;

/** Where an action stands among the instructions; flows must name them in this order. */
export type InstructionKind = keyof typeof INSTRUCTION_TABLE;

/** In the order in which they are executed. */
export const INSTRUCTION_ROWS: readonly (readonly [InstructionKind, InstructionRow])[] = Object.entries(
  INSTRUCTION_TABLE,
) as [InstructionKind, InstructionRow][];

const byType = new Map(INSTRUCTION_ROWS.map(([kind, { type }]) => [type, kind]));

/** The instruction of a type. */
export function instructionOfType(type: number): InstructionKind | undefined {
  return byType.get(type);
}
