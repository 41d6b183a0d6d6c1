/**
 * The userdata of `userspace` actions: what an upcall of kind ACTION is about.
 *
 * 44 bytes, the layout of Open vSwitch's `struct user_action_cookie` (host order, which is little-endian everywhere
 * here; `ofproto` is a UUID's 16 bytes, `ruleCookie` network order), so that both sides print the same text:
 *
 *     0 u16 type   2 u16 in_port   4..20 ofproto
 *     slow path:   20 u16 unused  24 u32 reason
 *     flow sample: 20 u16 probability  24 u32 collector_set_id  28 u32 obs_domain_id  32 u32 obs_point_id
 *                  36 u32 output_port  40 u32 direction
 *     controller:  20 u8 dont_send  21 u8 continuation  22 u16 reason  24 u32 recirc_id  28 be64 rule_cookie
 *                  36 u16 controller_id  38 u16 max_len
 */
export const COOKIE_BYTES = 44;
export const CookieType = { SLOW_PATH: 2, FLOW_SAMPLE: 3, CONTROLLER: 5 } as const;

/** Why packets of a flow are handled in vswitchd. */
export const Slow = { ACTION: 1 << 5 } as const;

export interface ControllerCookie {
  readonly type: typeof CookieType.CONTROLLER;
  readonly ofproto: Uint8Array;
  readonly dontSend: boolean;
  /** The packet waits for the controller (NXT_RESUME). */
  readonly isContinuation: boolean;
  readonly reason: number;
  readonly recircId: number;
  readonly ruleCookie: bigint;
  readonly controllerId: number;
  readonly maxLen: number;
}

export interface SlowPathCookie {
  readonly type: typeof CookieType.SLOW_PATH;
  readonly ofproto: Uint8Array;
  readonly inPort: number;
  readonly reason: number;
}

export interface FlowSampleCookie {
  readonly type: typeof CookieType.FLOW_SAMPLE;
  readonly ofproto: Uint8Array;
  readonly inPort: number;
  /** Out of 65535. */
  readonly probability: number;
  readonly collectorSet: number;
  readonly obsDomain: number;
  readonly obsPoint: number;
  /** The datapath's port that the packet goes to, or none. */
  readonly outputPort: number;
  /** 0: not said; 1: ingress; 2: egress. */
  readonly direction: number;
}

export type UserCookie = ControllerCookie | SlowPathCookie | FlowSampleCookie;

const NO_PORT = 0xffff;

/** The bytes of a cookie; owned by the caller. */
export function encodeCookie(cookie: UserCookie): Uint8Array {
  const bytes = new Uint8Array(COOKIE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, cookie.type, true);
  bytes.set(cookie.ofproto.subarray(0, 16), 4);
  if (cookie.type === CookieType.SLOW_PATH) {
    view.setUint16(2, cookie.inPort, true);
    view.setUint32(24, cookie.reason, true);
    return bytes;
  }
  if (cookie.type === CookieType.FLOW_SAMPLE) {
    view.setUint16(2, cookie.inPort, true);
    view.setUint16(20, cookie.probability, true);
    view.setUint32(24, cookie.collectorSet, true);
    view.setUint32(28, cookie.obsDomain, true);
    view.setUint32(32, cookie.obsPoint, true);
    view.setUint32(36, cookie.outputPort, true);
    view.setUint32(40, cookie.direction, true);
    return bytes;
  }
  view.setUint16(2, NO_PORT, true);
  bytes[20] = cookie.dontSend ? 1 : 0;
  bytes[21] = cookie.isContinuation ? 1 : 0;
  view.setUint16(22, cookie.reason, true);
  view.setUint32(24, cookie.recircId, true);
  view.setBigUint64(28, cookie.ruleCookie, false);
  view.setUint16(36, cookie.controllerId, true);
  view.setUint16(38, cookie.maxLen, true);
  return bytes;
}

/** The cookie that bytes hold, or undefined when they are none of this program. */
export function decodeCookie(bytes: Uint8Array): UserCookie | undefined {
  if (bytes.length < COOKIE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ofproto = bytes.slice(4, 20);
  switch (view.getUint16(0, true)) {
    case CookieType.SLOW_PATH:
      return {
        type: CookieType.SLOW_PATH,
        ofproto,
        inPort: view.getUint16(2, true),
        reason: view.getUint32(24, true),
      };
    case CookieType.FLOW_SAMPLE:
      return {
        type: CookieType.FLOW_SAMPLE,
        ofproto,
        inPort: view.getUint16(2, true),
        probability: view.getUint16(20, true),
        collectorSet: view.getUint32(24, true),
        obsDomain: view.getUint32(28, true),
        obsPoint: view.getUint32(32, true),
        outputPort: view.getUint32(36, true),
        direction: view.getUint32(40, true),
      };
    case CookieType.CONTROLLER:
      return {
        type: CookieType.CONTROLLER,
        ofproto,
        dontSend: bytes[20] !== 0,
        isContinuation: bytes[21] !== 0,
        reason: view.getUint16(22, true),
        recircId: view.getUint32(24, true),
        ruleCookie: view.getBigUint64(28, false),
        controllerId: view.getUint16(36, true),
        maxLen: view.getUint16(38, true),
      };
    default:
      return undefined;
  }
}
