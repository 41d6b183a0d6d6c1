// Writes docs/openflow-fields.md from the tables of fields, actions, messages, properties and errors (run after `tsc -b`).
// With --check it only tells whether the file is stale, and which rows have no documentation.
import { format } from 'prettier';
import { FIELD_DOCS } from '../packages/flow/dist/src/field-docs.js';
import { FIELDS } from '../packages/flow/dist/src/fields.js';
import { ACTION_DOCS } from '../packages/openflow/dist/src/actions/docs.js';
import { EXPERIMENTERS } from '../packages/flow/dist/src/experimenters.js';
import { INSTRUCTION_TABLE } from '../packages/openflow/dist/src/actions/instruction-table.js';
import { ACTIONS } from '../packages/openflow/dist/src/actions/table.js';
import { ERROR_DOCS } from '../packages/openflow/dist/src/error-docs.js';
import { ERRORS } from '../packages/openflow/dist/src/error-table.js';
import { MESSAGE_DOCS, messageKind } from '../packages/openflow/dist/src/messages/docs.js';
import { PROPERTIES } from '../packages/openflow/dist/src/messages/property-table.js';
import { WIRE_FORMS, wireForm } from '../packages/openflow/dist/src/messages/wire-forms.js';
import { writeOrCheck } from './generated.mjs';

const problems = [];
const version = (v) => `1.${v - 1}`;
const versions = (from, to) =>
  to > 6 ? 'all' : from === to ? version(from) : `${version(from)} to ${version(to)}`;
const cell = (text) => text.replaceAll('|', '\\|');
const code = (text) => `\`${cell(text)}\``;

const FORMATS = {
  decimal: 'decimal',
  hexadecimal: 'hexadecimal',
  ct_state: 'flags of a connection',
  ethernet: 'Ethernet address',
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  port: 'port of OpenFlow 1.0',
  port_oxm: 'port of OpenFlow 1.1 and later',
  frag: '`no`, `yes`, `first`, `later`, `not_later`',
  tnl_flags: 'flags of a tunnel',
  tcp_flags: 'flags of TCP',
  packet_type: '`(NAMESPACE,TYPE)`',
};

/** What a version with a fixed match can say of a field. */
const fixed = { no: 'no', exact: 'exact', cidr: 'prefix', bitwise: 'bitwise' };

function codes(f) {
  const all = [...(f.nxm ? [{ ...f.nxm, nxm: true }] : []), ...f.oxm];
  if (all.length === 0) return 'none';
  return all
    .map((c) => {
      const where =
        c.experimenter !== 0
          ? `0x${c.experimenter.toString(16)}:${c.field}`
          : `0x${c.cls.toString(16).padStart(4, '0')}:${c.field}`;
      return `${code(c.name)} ${where}${c.nxm ? '' : c.since > 6 ? ' (read only)' : ` (${version(c.since)})`}`;
    })
    .join(', ');
}

/** Fields that differ in their number only are one row: the first and the last. */
const SERIES = /^(tun_metadata|reg|xreg|xxreg)\d+$/;
const seriesOf = (f) => SERIES.exec(f.name)?.[1];
const counted = (n, unit) => `${n} ${unit}${n === 1 ? '' : 's'}`;

function fieldRows() {
  return FIELDS.filter((f, i) => seriesOf(f) === undefined || seriesOf(f) !== seriesOf(FIELDS[i - 1])).map(
    (f) => fieldRow(f, seriesOf(f) && FIELDS.findLast((other) => seriesOf(other) === seriesOf(f))),
  );
}

function fieldRow(f, last) {
  const doc = FIELD_DOCS[f.name];
  if (doc === undefined) {
    problems.push(`field ${f.name} has no entry in packages/flow/src/field-docs.ts`);
    return '';
  }
  const names = last
    ? `${code(f.name)} to ${code(last.name)}`
    : [f.name, ...(f.alias ? [f.alias] : [])].map(code).join(', ');
  const width =
    f.option !== undefined
      ? `up to ${f.bytes} bytes`
      : `${counted(f.bits, 'bit')} in ${counted(f.bytes, 'byte')}`;
  const mask = f.maskable ? 'bitwise' : 'exact only';
  const access = f.writable ? 'read, write' : 'read';
  return `| ${[names, width, mask, FORMATS[f.format], f.prereq, access, fixed[f.of10], fixed[f.of11], last ? `${codes(f)} to ${codes(last)}` : codes(f), doc.since, doc.doc].join(' | ')} |`;
}

/** The forms of an action on the wire, those that differ in nothing but the version put together. */
function forms(row) {
  const seen = new Map();
  for (const f of row.wire) {
    const vendor = f.vendor === 0 ? '' : f.vendor === 0x2320 ? 'Nicira ' : 'ONF ';
    const key = `${vendor}${f.code}`;
    const last = seen.get(key);
    if (last)
      seen.set(key, {
        from: Math.min(last.from, f.from),
        to: Math.max(last.to, f.to),
        sent: last.sent || f.encode !== undefined,
      });
    else seen.set(key, { from: f.from, to: f.to, sent: f.encode !== undefined });
  }
  const texts = [...seen].map(([key, f]) => {
    const versions = f.from === f.to ? version(f.from) : `${version(f.from)} to ${version(f.to)}`;
    return `${key} (${versions}${f.sent ? '' : ', read only'})`;
  });
  const kind = row.instruction && INSTRUCTION_TABLE[row.instruction];
  if (kind !== undefined) texts.unshift(`instruction ${kind.type} (${versions(kind.from, kind.to)})`);
  return texts.join(', ') || 'none';
}

function actionRow([type, row]) {
  const doc = ACTION_DOCS[type];
  if (doc === undefined) {
    problems.push(`action ${type} has no entry in packages/openflow/src/actions/docs.ts`);
    return '';
  }
  return `| ${code(type)} | ${doc.syntax.map(code).join('<br>')} | ${forms(row)} | ${doc.doc} |`;
}

const OWNERS = new Map([
  [0, ''],
  [EXPERIMENTERS.nicira, 'Nicira '],
  [EXPERIMENTERS.onf, 'ONF '],
]);

/** Rows of messages, a kind each; its forms with their bodies: fixed bytes, and what may be repeated behind them. */
function messageRows() {
  const kinds = new Map(Object.keys(MESSAGE_DOCS).map((kind) => [kind, []]));
  for (const key of Object.keys(WIRE_FORMS)) {
    const kind = messageKind(key);
    if (kind === undefined)
      problems.push(`message ${key} has no entry in packages/openflow/src/messages/docs.ts`);
    else kinds.get(kind).push(wireForm(key));
  }
  return [...kinds].map(([kind, list]) => {
    const printed = [...new Set(list.map((f) => code(f.name)))].join('<br>');
    const numbers = list.map((f) => {
      const more = f.step === 0 ? '' : f.step === 1 ? '+' : `+${f.step}n`;
      return `${OWNERS.get(f.vendor)}${f.code} (${versions(f.from, f.to)}): ${f.base}${more}`;
    });
    return `| ${printed} | ${numbers.join('<br>')} | ${MESSAGE_DOCS[kind]} |`;
  });
}

function propertyRows() {
  return Object.entries(PROPERTIES).flatMap(([holder, { doc: where, rows }]) => [
    `| **${holder}** | | | Of ${where}. |`,
    ...Object.entries(rows).map(([name, { type, experimenter, length, doc }]) => {
      const owner = Object.entries(EXPERIMENTERS).find(([, id]) => id === experimenter)?.[0];
      return `| ${code(name)} | ${owner ? `${owner} ` : ''}${type > 255 ? `0x${type.toString(16)}` : type} | ${length ?? ''} | ${doc} |`;
    }),
  ]);
}

function errorRow([name, codes]) {
  const numbers = codes.map(([from, to, vendor, type, number]) => {
    const isOne = vendor === EXPERIMENTERS.onf || (vendor === EXPERIMENTERS.nicira && from > 2);
    return `${OWNERS.get(vendor)}${isOne ? type : `${type},${number}`} (${versions(from, to)})`;
  });
  return `| ${code(name)} | ${numbers.join(', ')} | ${ERROR_DOCS[name]} |`;
}

const text = await format(
  `# OpenFlow: fields, actions, messages, properties, errors

Generated by \`scripts/generate-openflow-docs.mjs\` from the tables that parsers, printers and codecs work from. What the
words mean, and what is behind each field, is said at length in ovs-fields(7) and ovs-actions(7).

## Fields

Codes are \`class:number\` of a TLV match, or \`experimenter:number\` where the class is 0xffff; those of OXM with the first
version of OpenFlow that has them. "1.0" and "1.1" say what the fixed match of these versions can. "Since" is the first
release of Open vSwitch with the field. Of fields that are numbered the first and the last are here, with the codes of both.

| Name | Width | Masks | Written as | Needs | Access | 1.0 | 1.1 | Codes | Since | What it is |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${fieldRows().join('\n')}

## Actions and instructions

Wire forms are action types, Nicira's and ONF's with their subtypes, and the versions that have them. Actions that are no
instructions go in instruction ${INSTRUCTION_TABLE.apply.type}, from 1.1 on. An action without a form in a
version is sent as others that say the same (\`mod_nw_src\` as \`set_field\` from 1.2 on), or not at all.

| Name | Written as | On the wire | What it does |
| --- | --- | --- | --- |
${Object.entries(ACTIONS).map(actionRow).join('\n')}

## Messages

Forms are message types, of statistics (\`OFPST\`, \`NXST\`, \`ONFST\`) their own types, of experimenters' messages the
experimenter's; with the versions that understand them, and the bytes of the body: \`40+8n\` is 40 and any number of eights,
\`8+\` is 8 or more. Before the body stands the header, and those of statistics and experimenters.

| Name | Forms | What it is |
| --- | --- | --- |
${messageRows().join('\n')}

## Properties

Type, with the experimenter whose it is, and length with the header where it is always the same.

| Name | Type | Length | What it says |
| --- | --- | --- | --- |
${propertyRows().join('\n')}

## Errors

Numbers are \`type,code\`; of Nicira's since 1.2, and of the ONF's, the experimenter's one number.

| Name | Numbers | What it means |
| --- | --- | --- |
${Object.entries(ERRORS).map(errorRow).join('\n')}

## Experimenters

| Name | Number |
| --- | --- |
${Object.entries(EXPERIMENTERS)
  .map(([name, id]) => `| ${name} | 0x${id.toString(16)} |`)
  .join('\n')}
`,
  { parser: 'markdown', printWidth: 120 },
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
const stale = writeOrCheck('docs/openflow-fields.md', text, 'generate-openflow-docs.mjs');
if (stale !== undefined) {
  console.error(stale);
  process.exit(1);
}
