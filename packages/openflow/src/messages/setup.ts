/** Roles of controllers, and which asynchronous messages a connection gets. */
import { fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { propertyName, putProperty, readProperty } from './property.js';
import { ASYNC_KEYS } from './property-table.js';
import { form, forms, type MessageRows } from './row.js';
import type { AsyncConfig, AsyncMasks, Role, RoleReason } from './types.js';
import type { WireFormKey } from './wire-forms.js';

const ROLES: readonly Role[] = ['nochange', 'equal', 'primary', 'secondary'];
const NX_ROLES: readonly Role[] = ['equal', 'primary', 'secondary'];
export const NO_GENERATION = 0xffffffffffffffffn;

interface RoleMessage<T> {
  readonly type: T;
  readonly role: Role;
  readonly generationId: bigint | undefined;
  readonly isExtension?: boolean;
}

function roleForms<T extends 'role_request' | 'role_reply'>(type: T, nxKey: WireFormKey, key: WireFormKey) {
  return {
    forms: [
      form<RoleMessage<T>>(
        nxKey,
        (w, m) => w.u32(Math.max(0, NX_ROLES.indexOf(m.role))),
        (r, version) => {
          const role = NX_ROLES[r.u32()] ?? fail('OFPRRFC_BAD_ROLE', 'role');
          return { type, role, generationId: undefined, ...(version >= 3 ? { isExtension: true } : {}) };
        },
        (m, version) => version < 3 || m.isExtension === true,
      ),
      form<RoleMessage<T>>(
        key,
        (w, m) =>
          w
            .u32(ROLES.indexOf(m.role))
            .zeros(4)
            .u64(m.generationId ?? NO_GENERATION),
        (r) => {
          const role = ROLES[r.u32()] ?? fail('OFPRRFC_BAD_ROLE', 'role');
          r.skip(4);
          const generation = r.u64();
          // A request that elects says a generation even so.
          const none = type === 'role_request' ? role === 'nochange' : generation === NO_GENERATION;
          return { type, role, generationId: none ? undefined : generation };
        },
      ),
    ],
  };
}

const ROLE_REASONS: readonly RoleReason[] = ['primary_request', 'config', 'experimenter'];

const FIXED = ASYNC_KEYS.slice(0, 3);

/** Reasons that a kind of message has, as bits: before OpenFlow 1.4, and since. */
const KNOWN: Readonly<Record<keyof AsyncMasks, readonly [before: number, since: number]>> = {
  packetIn: [7, 0x3f],
  portStatus: [7, 7],
  flowRemoved: [0x3f, 0x3f],
  roleStatus: [7, 7],
  tableStatus: [0x18, 0x18],
  requestForward: [3, 3],
};
/** As logs have them. */
const ASYNC_NAMES: Readonly<Record<keyof AsyncMasks, string>> = {
  packetIn: 'PACKET_IN',
  portStatus: 'PORT_STATUS',
  flowRemoved: 'FLOW_REMOVED',
  roleStatus: 'ROLE_STATUS',
  tableStatus: 'TABLE_STATUS',
  requestForward: 'REQUESTFORWARD',
};
const known = (key: keyof AsyncMasks, version: number): number => KNOWN[key][version >= 5 ? 1 : 0];

function putFixed(w: Writer, c: AsyncConfig): void {
  for (const key of FIXED) w.u32(c.primary[key] ?? 0).u32(c.secondary[key] ?? 0);
}

/** Reads the structure; reasons that a version does not have are passed over. */
function readFixed(r: Reader, version: number): AsyncConfig {
  const readMask = (key: keyof AsyncMasks): number => {
    const mask = r.u32();
    const allowed = known(key, version);
    if ((mask & ~allowed) !== 0) r.explain?.('async_mask', mask, ASYNC_NAMES[key], allowed, true);
    return mask & allowed;
  };
  const masks = FIXED.map((key) => [key, readMask(key), readMask(key)] as const);
  return {
    primary: Object.fromEntries(masks.map(([key, primary]) => [key, primary])),
    secondary: Object.fromEntries(masks.map(([key, , secondary]) => [key, secondary])),
  };
}

function putProperties(w: Writer, c: AsyncConfig): void {
  for (const key of ASYNC_KEYS) {
    for (const role of ['secondary', 'primary'] as const) {
      const mask = c[role][key];
      if (mask !== undefined) putProperty(w, 'async config', `${key}.${role}`, () => w.u32(mask));
    }
  }
}

/** Reads properties; `loose`: what is not known is passed over, and no error. */
function readProperties(r: Reader, version: number, loose: boolean): AsyncConfig {
  const config: Record<keyof AsyncConfig, { -readonly [K in keyof AsyncMasks]: AsyncMasks[K] }> = {
    primary: {},
    secondary: {},
  };
  while (r.left > 0) {
    const p = readProperty(r, 'OFPBPC_BAD_LEN', 0xfffe);
    const name = propertyName('async config', p);
    if (name === undefined) {
      r.explain?.('unknown_property', 'async config', p.type, p.experimenter, loose);
      if (loose) continue;
      return fail(
        p.experimenter === undefined ? 'OFPACFC_UNSUPPORTED' : 'OFPBPC_BAD_EXP_TYPE',
        `property ${p.type}`,
      );
    }
    const [key, role] = name.split('.') as [keyof AsyncMasks, 'primary' | 'secondary'];
    const mask = p.body.u32();
    const bad = (mask & ~known(key, version)) >>> 0;
    if (bad !== 0) {
      r.explain?.('async_mask', mask, ASYNC_NAMES[key], known(key, version), loose);
      if (!loose) fail('OFPACFC_INVALID', `${key} ${mask}`);
    }
    config[role][key] = (mask & known(key, version)) >>> 0;
  }
  return config;
}

/** Whether the fixed structure can say a configuration. */
const isFixed = (m: { config: AsyncConfig }): boolean =>
  [m.config.primary, m.config.secondary].every(
    (c) => c.roleStatus === undefined && c.tableStatus === undefined && c.requestForward === undefined,
  );

export const SETUP_MESSAGES: MessageRows<
  'role_request' | 'role_reply' | 'role_status' | 'get_async_request' | 'get_async_reply' | 'set_async'
> = {
  role_request: roleForms('role_request', 'NXT_ROLE_REQUEST', 'OFPT12_ROLE_REQUEST'),
  role_reply: roleForms('role_reply', 'NXT_ROLE_REPLY', 'OFPT12_ROLE_REPLY'),
  role_status: {
    forms: forms(
      ['OFPT14_ROLE_STATUS', 'ONFT13_ROLE_STATUS'],
      (w, m) => w.u32(ROLES.indexOf(m.role)).u8(ROLE_REASONS.indexOf(m.reason)).zeros(3).u64(m.generationId),
      (r) => {
        const role = ROLES[r.u32()] ?? fail('OFPRRFC_BAD_ROLE', 'role');
        const reason = ROLE_REASONS[r.u8()] ?? 'unknown';
        r.skip(3);
        return { type: 'role_status', role, reason, generationId: r.u64() };
      },
    ),
  },
  get_async_request: {
    forms: forms(
      ['OFPT13_GET_ASYNC_REQUEST', 'OFPT14_GET_ASYNC_REQUEST'],
      () => undefined,
      () => ({ type: 'get_async_request' }),
    ),
  },
  get_async_reply: {
    forms: [
      form(
        'OFPT13_GET_ASYNC_REPLY',
        (w, m) => putFixed(w, m.config),
        (r, version) => ({ type: 'get_async_reply', config: readFixed(r, version) }),
      ),
      form(
        'OFPT14_GET_ASYNC_REPLY',
        (w, m) => putProperties(w, m.config),
        (r, version) => ({ type: 'get_async_reply', config: readProperties(r, version, true) }),
      ),
    ],
  },
  set_async: {
    forms: [
      form(
        'OFPT13_SET_ASYNC',
        (w, m) => putFixed(w, m.config),
        (r, version) => ({ type: 'set_async', config: readFixed(r, version), isWhole: true }),
        isFixed,
      ),
      form(
        'OFPT14_SET_ASYNC',
        (w, m) => putProperties(w, m.config),
        (r, version) => ({ type: 'set_async', config: readProperties(r, version, false) }),
      ),
      form(
        'NXT_SET_ASYNC_CONFIG',
        (w, m) => putFixed(w, m.config),
        (r, version) => ({
          type: 'set_async',
          config: readFixed(r, version),
          isWhole: true,
        }),
        isFixed,
      ),
      form(
        'NXT_SET_ASYNC_CONFIG2',
        (w, m) => putProperties(w, m.config),
        (r, version) => ({ type: 'set_async', config: readProperties(r, version, false) }),
      ),
    ],
  },
};
