/**
 * What is wrong with bytes that are decoded, for people to read: beyond the error that goes back to the sender. One row
 * of `EXPLANATIONS` each, with the module of the log and the level under which the peer's programs tell it.
 *
 * Codecs write no log. A `Reader` may carry an `Explain`, which is told where decoding stumbles; who has none pays
 * nothing, nor does a good message. `explainToLog` (explain-log.ts) is what programs give.
 */
/** Levels in use: information, warnings, and what is of interest only to those who debug. */
export type ExplanationLevel = 'warn' | 'info' | 'dbg';

interface Row<A extends readonly never[]> {
  readonly module: string;
  readonly level: ExplanationLevel;
  readonly text: (...args: A) => string;
}

const row =
  (module: string, level: ExplanationLevel = 'warn') =>
  <A extends readonly unknown[]>(text: (...args: A) => string) => ({ module, level, text });

/** C's `%#x`. */
const hexAlt = (v: number): string => (v === 0 ? '0' : `0x${v.toString(16)}`);

const msgs = row('ofp_msgs');

/** The numbers that say what kind a message is. */
export interface MessageNumbers {
  readonly version: number;
  readonly type: number;
  /** Of statistics. */
  readonly stat: number | undefined;
  readonly vendor: number;
  /** A vendor's. */
  readonly subtype: number;
}

export const EXPLANATIONS = {
  // Framing.
  unknown_vendor: msgs((vendor: number) => `OpenFlow message has unknown vendor ${hexAlt(vendor)}`),
  unknown_message: msgs(({ version, type, stat, vendor, subtype }: MessageNumbers) => {
    const stats = stat === undefined ? '' : `, stat ${stat}`;
    const vendors = vendor === 0 ? '' : `, vendor 0x${vendor.toString(16)}, subtype ${subtype}`;
    return `unknown OpenFlow message (version ${version}, type ${type}${stats}${vendors})`;
  }),
  message_length: msgs((name: string, length: number, least: number, step: number) => {
    let wanted = `expected length ${least}`;
    if (step === 1) wanted = `expected length at least ${least} bytes`;
    if (step > 1) wanted = `must be exactly ${least} bytes or longer by an integer multiple of ${step} bytes`;
    return `received ${name} with incorrect length ${length} (${wanted})`;
  }),
} as const satisfies Readonly<Record<string, Row<never>>>;

export type ExplanationKey = keyof typeof EXPLANATIONS;
/** What a row's text is made of. */
export type ExplanationArgs<K extends ExplanationKey> = Parameters<(typeof EXPLANATIONS)[K]['text']>;

/** Is told what is wrong with bytes; what it is given is lent, for as long as the bytes are. */
export type Explain = <K extends ExplanationKey>(key: K, ...args: ExplanationArgs<K>) => void;

/** The words of an explanation. */
export function explanationText<K extends ExplanationKey>(key: K, ...args: ExplanationArgs<K>): string {
  return (EXPLANATIONS[key].text as (...all: ExplanationArgs<K>) => string)(...args);
}

/** An `Explain` that keeps what it is told until it is clear whether `explain` is to be told: by `tell`. */
export function explainLater(explain: Explain): { readonly explain: Explain; readonly tell: () => void } {
  const kept: (() => void)[] = [];
  return {
    explain: (key, ...args) => void kept.push(() => explain(key, ...args)),
    tell: () => {
      for (const each of kept) each();
    },
  };
}
