/** Tables of results in the output formats of the database tools: table, list, html, csv, json. */
import { FatalError } from '@ovs-node/common/errors';
import type { OptionSpec } from '@ovs-node/common/getopt';
import type { Datum } from 'ovsdb-client/data/datum';
import { datumToJson } from 'ovsdb-client/data/datum-json';
import { formatBareDatum, formatDatum } from 'ovsdb-client/data/datum-text';
import { canonicalJson, type Json, stringifyJson } from 'ovsdb-client/data/json';
import type { ColumnType } from 'ovsdb-client/data/type';

export const TABLE_FORMATS = ['table', 'list', 'html', 'csv', 'json'] as const;
export const CELL_FORMATS = ['string', 'bare', 'json'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];
export type CellFormat = (typeof CELL_FORMATS)[number];

/** How to print; a program's options change it while they are parsed. */
export interface TableStyle {
  format: TableFormat;
  cells: CellFormat;
  headings: boolean;
  /** Pretty-print JSON. */
  pretty: boolean;
  /** Format `table`: cells are cut to this many characters (or their heading's); 0 or absent: not. */
  maxColumnWidth?: number;
}

/** A cell: a datum with its type, plain text, JSON, or nothing, which in JSON is not what no text is. */
export type Cell =
  { readonly type: ColumnType; readonly datum: Datum } | { readonly json: Json } | string | undefined;

export interface Table {
  readonly caption?: string;
  /** When the contents were so; stands before everything. */
  readonly time?: Date;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** The options that every tool with tables has; `style` is changed as they are met. */
export function tableOptions(style: TableStyle): OptionSpec[] {
  return [
    {
      name: 'format',
      short: 'f',
      arg: 'required',
      apply: (value) => (style.format = oneOf(TABLE_FORMATS, value, 'output')),
    },
    {
      name: 'data',
      short: 'd',
      arg: 'required',
      apply: (value) => (style.cells = oneOf(CELL_FORMATS, value, 'data')),
    },
    { name: 'no-headings', apply: () => (style.headings = false) },
    { name: 'pretty', apply: () => (style.pretty = true) },
    {
      name: 'max-column-width',
      arg: 'required',
      apply: (value) => (style.maxColumnWidth = Number.parseInt(value as string, 10) || 0),
    },
    {
      name: 'bare',
      apply: () =>
        Object.assign(style, {
          format: 'list',
          cells: 'bare',
          headings: false,
        } satisfies Partial<TableStyle>),
    },
  ];
}

function oneOf<T extends string>(known: readonly T[], value: string | undefined, what: string): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw new FatalError(`unknown ${what} format "${value}"`);
  return found;
}

/** The text of a table. JSON ends in a line break as every other format does. */
export function formatTable(table: Table, style: TableStyle): string {
  if (table.time === undefined || style.format === 'json') return formatUndated(table, style);
  return `${timeText(table.time)}\n${formatUndated(table, style)}`;
}

/** What stands between two tables: an empty line where people read them, nothing where programs do, line by line. */
export function tableGap({ format }: TableStyle): string {
  return format === 'json' || format === 'html' ? '' : '\n';
}

/** `2026-11-28 13:01:04.920`, in UTC. */
function timeText(time: Date): string {
  return time.toISOString().replace('T', ' ').slice(0, 23);
}

function formatUndated(table: Table, style: TableStyle): string {
  switch (style.format) {
    case 'table':
      return asTable(table, style);
    case 'list':
      return asList(table, style);
    case 'html':
      return asHtml(table, style);
    case 'csv':
      return asCsv(table, style);
    case 'json':
      return `${asJson(table, style)}\n`;
  }
}

function cellText(cell: Cell, style: TableStyle): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  if ('json' in cell) return canonicalJson(cell.json);
  switch (style.cells) {
    case 'string':
      return formatDatum(cell.type, cell.datum);
    case 'bare':
      return formatBareDatum(cell.type, cell.datum);
    case 'json':
      return stringifyJson(datumToJson(cell.type, cell.datum));
  }
}

/** How many characters a text has, which is not its number of UTF-16 units. */
function characters(text: string): number {
  let n = 0;
  for (const _ of text) n++;
  return n;
}

function asTable(table: Table, style: TableStyle): string {
  const limit = style.maxColumnWidth ?? 0;
  const cut = (text: string, heading: string): string => {
    const room = Math.max(limit, style.headings ? heading.length : 0);
    return limit > 0 && characters(text) > room ? Array.from(text).slice(0, room).join('') : text;
  };
  const rows = table.rows.map((row) =>
    row.map((cell, i) => cut(cellText(cell, style), table.columns[i] as string)),
  );
  const widths = table.columns.map((name, i) => {
    const heading = style.headings ? name.length : 0;
    return Math.max(heading, ...rows.map((row) => characters(row[i] as string)));
  });
  const line = (cells: readonly string[]): string => {
    let text = '';
    let gap = 0;
    for (const [i, cell] of cells.entries()) {
      // Empty cells at the end leave no spaces.
      if (cell !== '') {
        text += ' '.repeat(gap) + cell;
        gap = 0;
      }
      gap += widths[i]! - characters(cell) + 1;
    }
    return text;
  };
  const lines = rows.map(line);
  if (style.headings) {
    const rule = widths.map((width) => '-'.repeat(width)).join(' ');
    lines.unshift(line(table.columns), rule);
  }
  if (table.caption !== undefined) lines.unshift(table.caption);
  return lines.map((text) => `${text}\n`).join('');
}

function asList(table: Table, style: TableStyle): string {
  const records = table.rows.map((row) =>
    row
      .map((cell, i) => {
        const heading = style.headings ? `${(table.columns[i] as string).padEnd(20)}: ` : '';
        return `${heading}${cellText(cell, style)}\n`;
      })
      .join(''),
  );
  const caption = table.caption === undefined ? '' : `${table.caption}\n`;
  return caption + records.join('\n');
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A cell of HTML: a row's UUID is a place, every other UUID a link to one; both show its beginning. */
function htmlCell(column: string, text: string): string {
  const escaped = escapeHtml(text);
  if (column === '_uuid') return `<a name="${escaped}">${escapeHtml(text.slice(0, 8))}</a>`;
  return escaped.replace(UUID, (uuid) => `<a href="#${uuid}">${uuid.slice(0, 8)}</a>`);
}

function asHtml(table: Table, style: TableStyle): string {
  const row = (tag: string, cells: readonly string[]): string[] => [
    '  <tr>',
    ...cells.map((text) => `    <${tag}>${text}</${tag}>`),
    '  </tr>',
  ];
  const lines = ['<table border=1>'];
  if (table.caption !== undefined) lines.push(`    <caption>${escapeHtml(table.caption)}</caption>`);
  if (style.headings) lines.push(...row('th', table.columns.map(escapeHtml)));
  for (const cells of table.rows) {
    lines.push(
      ...row(
        'td',
        cells.map((cell, i) => htmlCell(table.columns[i] as string, cellText(cell, style))),
      ),
    );
  }
  lines.push('</table>', '');
  return lines.join('\n');
}

function asCsv(table: Table, style: TableStyle): string {
  const cell = (text: string): string => (/[\n,"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = table.rows.map((row) => row.map((each) => cell(cellText(each, style))).join(','));
  if (style.headings) lines.unshift(table.columns.map(cell).join(','));
  if (table.caption !== undefined) lines.unshift(table.caption);
  return lines.map((text) => `${text}\n`).join('');
}

function cellJson(cell: Cell): Json {
  if (cell === undefined) return null;
  if (typeof cell === 'string') return cell;
  return 'json' in cell ? cell.json : datumToJson(cell.type, cell.datum);
}

function asJson(table: Table, style: TableStyle): string {
  const json: Record<string, Json> = {};
  if (table.caption !== undefined) json['caption'] = table.caption;
  json['data'] = table.rows.map((row) => row.map(cellJson));
  json['headings'] = [...table.columns];
  if (table.time !== undefined) json['time'] = timeText(table.time);
  return style.pretty ? prettyJson(json, 0) : canonicalJson(json);
}

/** JSON over several lines as the peer's tools print it: members sorted, closing brackets at the end of lines. */
export function prettyJson(json: Json, depth = 0): string {
  if (typeof json !== 'object' || json === null) return stringifyJson(json);
  const isArray = Array.isArray(json);
  const inner = isArray
    ? (json as readonly Json[]).map((each) => prettyJson(each, depth + 1))
    : Object.entries(json)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${JSON.stringify(key)}: ${prettyJson(value as Json, depth + 1)}`);
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  if (inner.length === 0) return open + close;
  const pad = '  '.repeat(depth + 1);
  return `${open}\n${inner.map((each) => pad + each).join(',\n')}${close}`;
}
