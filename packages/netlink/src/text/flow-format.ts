/** What stands around key and actions in a dumped datapath flow: statistics, UFID. */

const TCP_LETTERS: readonly (readonly [bit: number, letter: string])[] = [
  [0x02, 'S'],
  [0x01, 'F'],
  [0x08, 'P'],
  [0x04, 'R'],
  [0x20, 'U'],
  [0x10, '.'],
  [0x40, 'E'],
  [0x80, 'C'],
  [0x100, 'N'],
];

/** TCP flags as letters (`SF.`); unknown bits in brackets. */
export function formatTcpFlags(flags: number): string {
  if (flags === 0) return 'none';
  let text = '';
  for (const [bit, letter] of TCP_LETTERS) if (flags & bit) text += letter;
  const rest = flags & ~0x1ff;
  return rest === 0 ? text : `${text}[${rest.toString(16)}]`;
}

/** `packets:0, bytes:0, used:never` or `… used:0.395s, flags:S.`; `idleMs` -1 means never. */
export function formatFlowStats(stats: {
  readonly packets: number;
  readonly bytes: number;
  readonly idleMs: number;
  readonly tcpFlags: number;
}): string {
  const used = stats.idleMs < 0 ? 'never' : `${(stats.idleMs / 1000).toFixed(3)}s`;
  const flags = stats.tcpFlags === 0 ? '' : `, flags:${formatTcpFlags(stats.tcpFlags)}`;
  return `packets:${stats.packets}, bytes:${stats.bytes}, used:${used}${flags}`;
}

/** `ufid:xxxxxxxx-xxxx-…`; the bytes, 16 of them, are printed as a UUID. */
export function formatUfid(ufid: Uint8Array): string {
  const hex = Buffer.from(ufid).toString('hex').padEnd(32, '0');
  return `ufid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
