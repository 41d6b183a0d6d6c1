/** Messages about the switch and the connection: hello, errors, echo, features, configuration, ports, roles. */
import { DecodeFailure, type ErrorName, OfError, errorFromNumbers, errorNumbers, fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import {
  CONFIG_11,
  FEATURES_11,
  featuresFrom10,
  featuresTo10,
  putPhyPort,
  putPortNo,
  readPhyPort,
  readPortNo,
} from './port.js';
import { propertyName, putProperty, readProperty, unknownProperty } from './property.js';
import { form, forms, type MessageRows } from './row.js';
import {
  CAP,
  type FragMode,
  type PhyPort,
  type PortMod,
  type SwitchConfig,
  type SwitchFeatures,
} from './types.js';
import type { WireFormKey } from './wire-forms.js';

/** OFPHET_VERSIONBITMAP (OpenFlow 1.3, A.5.1). */
const HELLO_BITMAP = 1;

/** All versions up to one, 31 at most: what a hello without a bitmap says. */
export function versionsUpTo(version: number): number {
  return 2 ** (version + 1) - 2;
}

/** The highest version in a bitmap, 0 for none. */
export function highestVersion(versions: number): number {
  return versions === 0 ? 0 : 31 - Math.clz32(versions);
}

const NX_ERROR_TYPE = 0xb0c2;
const EXPERIMENTER_ERROR = 0xffff;

/** Bytes that a message has room for behind its header. */
const MAX_BODY = 0xffff - 8;

function putError(w: Writer, e: OfError, version: number): void {
  const start = w.length;
  const n =
    e.name === undefined
      ? { vendor: e.vendor, type: e.errorType, code: e.code }
      : sentErrorNumbers(e.name, version);
  if (n.vendor === 0) w.u16(n.type).u16(n.code);
  else if (version <= 2) w.u16(NX_ERROR_TYPE).u16(0).u32(n.vendor).u16(n.type).u16(n.code);
  else w.u16(EXPERIMENTER_ERROR).u16(n.type).u32(n.vendor);
  w.bytes(e.data.subarray(0, MAX_BODY - (w.length - start)));
}

/** The numbers of an error in a version, or those that are sent for one that the version has none for. */
export function sentErrorNumbers(
  name: ErrorName,
  version: number,
): { vendor: number; type: number; code: number } {
  return (
    errorNumbers(name, version) ??
    errorNumbers('NXBRC_UNENCODABLE_ERROR', version) ?? { vendor: 0, type: 1, code: 0 }
  );
}

function readError(r: Reader, version: number): OfError {
  let type = r.u16();
  let code = r.u16();
  let vendor = 0;
  if (type === NX_ERROR_TYPE && code === 0) {
    vendor = r.u32();
    type = r.u16();
    code = r.u16();
  } else if (type === EXPERIMENTER_ERROR) {
    type = code;
    code = 0;
    vendor = r.u32();
  }
  return new OfError(errorFromNumbers(version, vendor, type, code), '', r.rest(), { vendor, type, code });
}

const CAPS_10 =
  CAP.FLOW_STATS | CAP.TABLE_STATS | CAP.PORT_STATS | CAP.IP_REASM | CAP.QUEUE_STATS | CAP.ARP_MATCH_IP;
const STP_10 = 8;

/** Capabilities that a version knows. */
function capsMask(version: number): number {
  const common = CAP.FLOW_STATS | CAP.TABLE_STATS | CAP.PORT_STATS | CAP.IP_REASM | CAP.QUEUE_STATS;
  if (version === 2) return common | CAP.GROUP_STATS | CAP.ARP_MATCH_IP;
  if (version <= 4) return common | CAP.GROUP_STATS | CAP.PORT_BLOCKED;
  return common | CAP.GROUP_STATS | CAP.PORT_BLOCKED | CAP.BUNDLES | CAP.FLOW_MONITORING;
}

function putFeatures(w: Writer, f: SwitchFeatures, version: number): void {
  w.u64(f.datapathId).u32(f.nBuffers).u8(f.nTables);
  if (version === 1) {
    const stp = (f.capabilities & CAP.STP) !== 0 ? STP_10 : 0;
    w.zeros(3)
      .u32((f.capabilities & CAPS_10) | stp)
      .u32(f.actions);
  } else {
    w.u8(version >= 4 ? f.auxiliaryId : 0)
      .zeros(2)
      .u32(f.capabilities & capsMask(version))
      .u32(0);
  }
  if (version <= 3) for (const p of f.ports) putPhyPort(w, p, version);
}

function readFeatures(r: Reader, version: number): SwitchFeatures {
  const [datapathId, nBuffers, nTables, auxiliaryId] = [r.u64(), r.u32(), r.u8(), r.u8()];
  r.skip(2);
  const raw = r.u32();
  const last = r.u32();
  const capabilities =
    version === 1 ? ((raw & CAPS_10) | ((raw & STP_10) !== 0 ? CAP.STP : 0)) >>> 0 : raw & capsMask(version);
  const ports: PhyPort[] = [];
  const features = {
    datapathId,
    nBuffers,
    nTables,
    auxiliaryId: version >= 4 ? auxiliaryId : 0,
    capabilities,
    actions: version === 1 ? last : 0,
    ports,
  };
  try {
    while (version <= 3 && r.left > 0) ports.push(readPhyPort(r, version));
  } catch (e) {
    if (e instanceof DecodeFailure) {
      e.error.partial = { type: 'features_reply', features };
      e.error.at = r.pos;
    }
    throw e;
  }
  return features;
}

export const FRAG_MODES: readonly FragMode[] = ['normal', 'drop', 'reassemble', 'nx-match'];
const INVALID_TTL = 4;

/** Whether a version's configuration has the invalid-TTL bit; OpenFlow 1.0 has it as an extension. */
function hasInvalidTtl(version: number): boolean {
  return version <= 3;
}

function putConfig(w: Writer, c: SwitchConfig, version: number): void {
  const ttl = hasInvalidTtl(version) && c.invalidTtlToController === true ? INVALID_TTL : 0;
  w.u16(FRAG_MODES.indexOf(c.frag) | ttl).u16(c.missSendLen);
}

function readConfig(r: Reader, version: number, strict: boolean): SwitchConfig {
  const flags = r.u16();
  const known = 3 | (hasInvalidTtl(version) ? INVALID_TTL : 0);
  if (strict && (flags & ~known) !== 0) fail('OFPSCFC_BAD_FLAGS', `flags ${flags}`);
  return {
    frag: FRAG_MODES[flags & 3],
    invalidTtlToController: hasInvalidTtl(version) ? (flags & INVALID_TTL) !== 0 : undefined,
    missSendLen: r.u16(),
  };
}

/** What a version has to configure of a port. */
const knownConfig = (version: number): number => (version === 1 ? 0x7f : CONFIG_11);

function putPortMod(w: Writer, p: PortMod, version: number): void {
  putPortNo(w, p.portNo, version);
  if (version > 1) w.zeros(4);
  w.mac(p.hwAddr);
  if (version > 1) w.zeros(2);
  const known = knownConfig(version);
  w.u32(p.config & known).u32(p.mask & known);
  if (version >= 5) {
    if (p.advertise !== 0) putProperty(w, 'port_mod', 'ethernet', () => w.u32(p.advertise));
  } else {
    w.u32(version === 1 ? featuresTo10(p.advertise) : p.advertise).zeros(4);
  }
}

/** `loose`: unknown properties are passed over. */
function readPortMod(r: Reader, version: number, loose = false): PortMod {
  const portNo = readPortNo(r, version);
  if (version > 1) r.skip(4);
  const hwAddr = r.mac();
  if (version > 1) r.skip(2);
  const known = knownConfig(version);
  const [config, mask] = [r.u32() & known, r.u32() & known];
  let advertise = 0;
  if (version >= 5) {
    while (r.left > 0) {
      const p = readProperty(r);
      if (propertyName('port_mod', p) === 'ethernet') advertise = p.body.u32() & FEATURES_11;
      else unknownProperty(p, 'port_mod', loose);
    }
  } else {
    const f = r.u32();
    advertise = version === 1 ? featuresFrom10(f) : f & FEATURES_11;
    r.skip(4);
  }
  return { portNo, hwAddr, config, mask, advertise };
}

const PORT_REASONS = ['add', 'delete', 'modify'] as const;

const empty = (): void => undefined;

/** Request messages of nothing but a header. */
function bare<T extends 'features_request' | 'get_config_request' | 'barrier_request' | 'barrier_reply'>(
  type: T,
  keys: readonly WireFormKey[],
) {
  return {
    forms: forms<{ type: T }>(keys, empty, () => ({ type })),
  };
}

export const SWITCH_MESSAGES: MessageRows<
  | 'hello'
  | 'error'
  | 'echo_request'
  | 'echo_reply'
  | 'features_request'
  | 'features_reply'
  | 'get_config_request'
  | 'get_config_reply'
  | 'set_config'
  | 'barrier_request'
  | 'barrier_reply'
  | 'port_status'
  | 'port_mod'
> = {
  hello: {
    forms: [
      form(
        'OFPT_HELLO',
        (w, m, version) => {
          // A hello whose versions are all up to its own needs no bitmap.
          if ((m.versions & ~1) >>> 0 !== versionsUpTo(version)) w.u16(HELLO_BITMAP).u16(8).u32(m.versions);
        },
        (r, version) => {
          let versions = versionsUpTo(Math.min(version, 31));
          let hasUnknown = false;
          while (r.left > 0) {
            const type = r.left >= 4 ? r.u16() : 0;
            const length = r.left >= 2 ? r.u16() : 0;
            const padded = (length + 7) & ~7;
            if (length < 4 || padded - 4 > r.left) {
              hasUnknown = true;
              break;
            }
            const element = r.sub(padded - 4);
            const bitmap = length - 4;
            if (type !== HELLO_BITMAP || bitmap === 0 || bitmap % 4 !== 0) hasUnknown = true;
            else {
              // There is no version 0.
              const said = element.u32();
              if ((said & 1) !== 0) r.explain?.('hello_version_0');
              const known = (said & ~1) >>> 0;
              if (known === 0) {
                r.explain?.('hello_no_version');
                hasUnknown = true;
              } else versions = known;
            }
          }
          return hasUnknown ? { type: 'hello', versions, hasUnknown } : { type: 'hello', versions };
        },
      ),
    ],
  },
  error: {
    forms: [
      form(
        'OFPT_ERROR',
        (w, m, version) => putError(w, m.error, version),
        (r, version) => ({ type: 'error', error: readError(r, version) }),
      ),
    ],
  },
  echo_request: {
    forms: [
      form(
        'OFPT_ECHO_REQUEST',
        (w, m) => w.bytes(m.data),
        (r) => ({ type: 'echo_request', data: r.rest() }),
      ),
    ],
  },
  echo_reply: {
    forms: [
      form(
        'OFPT_ECHO_REPLY',
        (w, m) => w.bytes(m.data),
        (r) => ({ type: 'echo_reply', data: r.rest() }),
      ),
    ],
  },
  features_request: bare('features_request', ['OFPT_FEATURES_REQUEST']),
  features_reply: {
    forms: forms(
      ['OFPT10_FEATURES_REPLY', 'OFPT11_FEATURES_REPLY', 'OFPT13_FEATURES_REPLY'],
      (w, m, version) => putFeatures(w, m.features, version),
      (r, version) => ({ type: 'features_reply', features: readFeatures(r, version) }),
    ),
  },
  get_config_request: bare('get_config_request', ['OFPT_GET_CONFIG_REQUEST']),
  get_config_reply: {
    forms: [
      form(
        'OFPT_GET_CONFIG_REPLY',
        (w, m, version) => putConfig(w, m.config, version),
        (r, version) => ({ type: 'get_config_reply', config: readConfig(r, version, false) }),
      ),
    ],
  },
  set_config: {
    forms: [
      form(
        'OFPT_SET_CONFIG',
        (w, m, version) => putConfig(w, m.config, version),
        (r, version) => ({ type: 'set_config', config: readConfig(r, version, true) }),
      ),
    ],
  },
  barrier_request: bare('barrier_request', ['OFPT10_BARRIER_REQUEST', 'OFPT11_BARRIER_REQUEST']),
  barrier_reply: bare('barrier_reply', ['OFPT10_BARRIER_REPLY', 'OFPT11_BARRIER_REPLY']),
  port_status: {
    forms: forms(
      ['OFPT10_PORT_STATUS', 'OFPT11_PORT_STATUS', 'OFPT14_PORT_STATUS'],
      (w, m, version) => {
        w.u8(PORT_REASONS.indexOf(m.reason)).zeros(7);
        putPhyPort(w, m.port, version);
      },
      (r, version) => {
        const reason = PORT_REASONS[r.u8()] ?? fail('NXBRC_BAD_REASON', 'reason');
        r.skip(7);
        return { type: 'port_status', reason, port: readPhyPort(r, version) };
      },
    ),
  },
  port_mod: {
    forms: forms(
      ['OFPT10_PORT_MOD', 'OFPT11_PORT_MOD', 'OFPT14_PORT_MOD'],
      (w: Writer, m: { portMod: PortMod }, version: number) => putPortMod(w, m.portMod, version),
      (r, version, options) => ({ type: 'port_mod', portMod: readPortMod(r, version, options.loose) }),
    ),
  },
};
