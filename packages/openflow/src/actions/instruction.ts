/** Instructions of OpenFlow 1.1 and later, and how they go as actions in the versions before. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO, PROTO_OF10_NXM_ANY, PROTO_OXM_ANY } from '@ovs-node/flow/field-types';
import { altHex } from '@ovs-node/flow/int-text';
import { parseU32, parseU64 } from '../text/numbers.js';
import { formatTable, readTable } from '../text/tables.js';
import { formatActionList, parseActionList, roomOfList } from './nested.js';
import { type ActionRows, nx, std } from './row.js';

const ALL_64 = 0xffffffffffffffffn;
const OF11_UP = PROTO.OF11_STD | PROTO_OXM_ANY;
const OF13_UP = PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;

export const INSTRUCTIONS: ActionRows<
  'meter' | 'clear_actions' | 'write_actions' | 'write_metadata' | 'goto_table'
> = {
  meter: {
    wire: [
      std(
        6,
        6,
        29,
        8,
        (r) => ({ type: 'meter', meter: r.u32() }),
        (w, a) => w.u32(a.meter),
      ),
    ],
    parse: {
      meter: (arg, c) => {
        c.usable &= c.onlyActions === true ? PROTO.OF15_OXM : OF13_UP;
        return { type: 'meter', meter: parseU32(arg) };
      },
    },
    format: (a) => `meter:${a.meter}`,
    room: 16,
    instruction: 'meter',
  },
  clear_actions: {
    wire: [],
    parse: {
      clear_actions: () => ({ type: 'clear_actions' }),
    },
    format: () => 'clear_actions',
    instruction: 'clear',
  },
  write_actions: {
    wire: [],
    parse: {
      write_actions: (arg, c) => ({
        type: 'write_actions',
        actions: parseActionList(arg, c, 'write_actions'),
      }),
    },
    format: (a, c) => `write_actions(${a.actions.length === 0 ? 'drop' : formatActionList(a.actions, c)})`,
    room: (a) => 8 + roomOfList(a.actions),
    instruction: 'write',
  },
  write_metadata: {
    wire: [
      {
        ...nx<{ type: 'write_metadata'; metadata: bigint; mask: bigint }>(
          22,
          32,
          (r) => {
            r.zeros(6, 'NXBRC_MUST_BE_ZERO');
            const metadata = r.u64();
            return { type: 'write_metadata', metadata, mask: r.u64() };
          },
          (w, a) => w.zeros(6).u64(a.metadata).u64(a.mask),
          // Later versions have an instruction for it, and understand this one too.
          (_a, version) => version === 1,
        ),
      },
    ],
    parse: {
      write_metadata: (arg, c) => {
        c.usable &= PROTO_OF10_NXM_ANY | OF11_UP;
        const slash = arg.indexOf('/');
        const mask = slash < 0 ? ALL_64 : parseU64(arg.slice(slash + 1));
        const metadata = parseU64(slash < 0 ? arg : arg.slice(0, slash));
        return { type: 'write_metadata', metadata, mask };
      },
    },
    format: (a) => `write_metadata:${altHex(a.metadata)}${a.mask === ALL_64 ? '' : `/${altHex(a.mask)}`}`,
    room: 24,
    instruction: 'metadata',
  },
  goto_table: {
    // Before 1.1 a jump is a resubmit to the table.
    wire: [],
    translate: (a, version) =>
      version === 1
        ? [
            {
              type: 'resubmit',
              inPort: 0xfffffff8,
              table: a.table,
              withCtOrig: false,
              form: 'resubmit_table',
            },
          ]
        : undefined,
    parse: {
      goto_table: (arg, c) => {
        const table = readTable(arg, c.tables);
        if (table === undefined) throw new FlowSyntaxError(`unknown table "${arg}"`);
        return { type: 'goto_table', table };
      },
    },
    format: (a, c) => `goto_table:${formatTable(a.table, c.tables)}`,
    instruction: 'goto',
  },
};
