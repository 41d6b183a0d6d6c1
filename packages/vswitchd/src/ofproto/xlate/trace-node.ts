/**
 * What a translation did, as a tree of remarks, for `ofproto/trace`.
 */
export type RemarkKind =
  'bridge' | 'table' | 'thaw' | 'action' | 'detail' | 'warn' | 'error' | 'group' | 'bucket';

export interface Remark {
  readonly kind: RemarkKind;
  readonly text: string;
  readonly subs: Remark[];
}

/** Kinds that are indented even at the end of their list. */
const INDENTED: ReadonlySet<RemarkKind> = new Set<RemarkKind>([
  'action',
  'detail',
  'warn',
  'error',
  'bucket',
]);

/** Renders a list of remarks as the lines of a trace. */
export function renderRemarks(remarks: readonly Remark[], level: number, out: string[]): void {
  remarks.forEach((remark, i) => {
    const more = i + 1 < remarks.length || INDENTED.has(remark.kind) ? 1 : 0;
    const pad = ' '.repeat((level + more) * 4);
    switch (remark.kind) {
      case 'bridge':
        out.push('', pad + remark.text, pad + '-'.repeat(remark.text.length));
        break;
      case 'detail':
        out.push(`${pad} -> ${remark.text}`);
        break;
      case 'warn':
        out.push(`${pad} >> ${remark.text}`);
        break;
      case 'error':
        out.push(`${pad} >>>> ${remark.text} <<<<`);
        break;
      default:
        out.push(pad + remark.text);
    }
    renderRemarks(remark.subs, level + more + more, out);
  });
}
