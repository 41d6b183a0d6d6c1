/** Queue messages: configuration (a message of its own before OpenFlow 1.4) and statistics. */
import { OFPP } from '@ovs-node/flow/ports';
import { DecodeFailure, fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { items } from './multipart-items.js';
import { putPortNo, readPortNo } from './port.js';
import {
  type Property,
  propertyName,
  propertyType,
  putProperty,
  readProperty,
  unknownProperty,
} from './property.js';
import { type BodyRow, bodies, forms, type MessageRows } from './row.js';
import {
  type QueueConfig,
  type QueueStats,
  type ReplyOf,
  type RequestOf,
  UNKNOWN_DURATION,
} from './types.js';

function putQueueStats(w: Writer, q: QueueStats, version: number): void {
  const start = w.length;
  if (version >= 5) w.u16(0).zeros(6);
  putPortNo(w, q.portNo, version);
  if (version === 1) w.zeros(2);
  w.u32(q.queueId).u64(q.txBytes).u64(q.txPackets).u64(q.txErrors);
  if (version >= 4) w.u32(q.durationSec).u32(q.durationNsec);
  if (version >= 5) w.setU16(start, w.length - start);
}

function readQueueStats(reader: Reader, version: number): QueueStats {
  let r = reader;
  if (version >= 5) {
    if (r.left < 48) fail('OFPBRC_BAD_LEN', `${r.left} bytes of queue statistics`);
    const length = r.u16();
    if (length < 48 || length - 2 > r.left) fail('OFPBRC_BAD_LEN', `queue statistics of ${length} bytes`);
    r = r.sub(length - 2);
    r.skip(6);
  }
  const portNo = readPortNo(r, version);
  if (version === 1) r.skip(2);
  const queueId = r.u32();
  const [txBytes, txPackets, txErrors] = [r.u64(), r.u64(), r.u64()];
  const durationSec = version >= 4 ? r.u32() : UNKNOWN_DURATION;
  const durationNsec = version >= 4 ? r.u32() : UNKNOWN_DURATION;
  return { portNo, queueId, txBytes, txPackets, txErrors, durationSec, durationNsec };
}

/**
 * Writes a queue; before 1.4 in the structure of the configuration reply, whose properties have 4 bytes of padding
 * behind their header.
 */
function putQueue(w: Writer, q: QueueConfig, version: number): void {
  const start = w.length;
  let at: number;
  if (version >= 5) {
    w.u32(q.portNo).u32(q.queueId);
    at = w.length;
    w.u16(0).zeros(6);
  } else {
    w.u32(q.queueId);
    if (version >= 3) w.u32(q.portNo);
    at = w.length;
    w.u16(0).zeros(version >= 3 ? 6 : 2);
  }
  for (const name of ['minRate', 'maxRate'] as const) {
    const value = q[name];
    if (value === undefined) continue;
    if (version >= 5) putProperty(w, 'queue desc', name, () => w.u16(value).zeros(2));
    else w.u16(propertyType('queue desc', name)).u16(16).zeros(4).u16(value).zeros(6);
  }
  w.setU16(at, w.length - start);
}

/** A property of a queue before OpenFlow 1.4, which needs no padding. */
function readProperty10(r: Reader): Property {
  const bad = (length: number): never => fail('OFPBRC_BAD_LEN', `property of ${length} bytes`);
  if (r.left < 8) bad(r.left);
  const type = r.u16();
  const length = r.u16();
  if (length < 8 || length - 4 > r.left || length % 8 !== 0) bad(length);
  return { type, experimenter: undefined, body: r.sub(length - 4), length };
}

function readQueue(r: Reader, version: number, port: number): QueueConfig {
  const header = version === 2 || version === 1 ? 8 : 16;
  const bad = (length: number): never => fail('OFPBRC_BAD_LEN', `queue of ${length} bytes`);
  if (r.left < header) bad(r.left);
  let portNo = port;
  let queueId: number;
  let length: number;
  if (version >= 5) {
    portNo = readPortNo(r, version);
    queueId = r.u32();
    length = r.u16();
    r.skip(6);
  } else {
    queueId = r.u32();
    // A queue's own port, since 1.2; the peer takes any number.
    if (version >= 3) portNo = r.u32();
    length = r.u16();
    r.skip(version >= 3 ? 6 : 2);
  }
  if (length < header || length - header > r.left || length % 8 !== 0) bad(length);
  const b = r.sub(length - header);
  const rates: { minRate: number | undefined; maxRate: number | undefined } = {
    minRate: undefined,
    maxRate: undefined,
  };
  while (b.left > 0) {
    const p = version >= 5 ? readProperty(b) : readProperty10(b);
    const name = propertyName('queue desc', p);
    if (name === undefined) {
      if (version >= 5) unknownProperty(p, 'queue desc', true);
      else r.explain?.('queue_property', p.type);
      continue;
    }
    if (version < 5) {
      if (p.length !== 16) bad(p.length);
      p.body.skip(4);
    }
    const sent = p.body.u16();
    // All ones say that there is none.
    rates[name] = sent === 0xffff ? undefined : sent;
  }
  return { portNo, queueId, ...rates };
}

export const QUEUE_MESSAGES: MessageRows<'queue_get_config_request' | 'queue_get_config_reply'> = {
  queue_get_config_request: {
    forms: forms(
      ['OFPT10_QUEUE_GET_CONFIG_REQUEST', 'OFPT11_QUEUE_GET_CONFIG_REQUEST'],
      (w, m: { portNo: number }, version) => {
        putPortNo(w, m.portNo, version);
        w.zeros(version === 1 ? 2 : 4);
      },
      (r, version) => {
        const portNo = readPortNo(r, version);
        if (portNo >= OFPP.MAX && (version === 1 || portNo !== OFPP.ANY))
          fail('OFPQOFC_BAD_PORT', `port ${portNo}`);
        r.skip(version === 1 ? 2 : 4);
        return { type: 'queue_get_config_request', portNo };
      },
    ),
  },
  queue_get_config_reply: {
    forms: forms(
      ['OFPT10_QUEUE_GET_CONFIG_REPLY', 'OFPT11_QUEUE_GET_CONFIG_REPLY'],
      (w, m: { portNo: number; queues: readonly QueueConfig[] }, version) => {
        putPortNo(w, m.portNo, version);
        w.zeros(version === 1 ? 6 : 4);
        for (const q of m.queues) putQueue(w, q, version);
      },
      (r, version) => {
        const header = r.sub(8);
        const queues: QueueConfig[] = [];
        // The port matters only to queues.
        const portNo = r.left > 0 ? readPortNo(header, version) : 0;
        try {
          while (r.left > 0) queues.push(readQueue(r, version, portNo));
        } catch (e) {
          if (e instanceof DecodeFailure)
            e.error.partial = { type: 'queue_get_config_reply', portNo, queues };
          throw e;
        }
        return { type: 'queue_get_config_reply', portNo, queues };
      },
    ),
  },
};

export const QUEUE_BODIES: {
  readonly [T in 'queue' | 'queue_desc']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  queue: {
    request: bodies<RequestOf<'queue'>>(
      ['OFPST10_QUEUE_REQUEST', 'OFPST11_QUEUE_REQUEST'],
      (w, q, version) => {
        // OpenFlow 1.0 says all ports by another number.
        putPortNo(w, version === 1 && q.portNo === OFPP.ANY ? OFPP.ALL : q.portNo, version);
        w.zeros(version === 1 ? 2 : 0).u32(q.queueId);
      },
      (r, version) => {
        const port = readPortNo(r, version);
        const portNo = version === 1 && port === OFPP.ALL ? OFPP.ANY : port;
        if (version === 1) r.skip(2);
        return { type: 'queue', portNo, queueId: r.u32() };
      },
    ),
    reply: bodies<ReplyOf<'queue'>>(
      ['OFPST10_QUEUE_REPLY', 'OFPST11_QUEUE_REPLY', 'OFPST13_QUEUE_REPLY', 'OFPST14_QUEUE_REPLY'],
      (w, p, version) => w.items(p.queues, (q) => putQueueStats(w, q, version)),
      (r, version) =>
        items(
          r,
          () => readQueueStats(r, version),
          (queues) => ({ type: 'queue', queues }),
        ),
    ),
  },
  queue_desc: {
    request: bodies<RequestOf<'queue_desc'>>(
      ['OFPST14_QUEUE_DESC_REQUEST'],
      (w, q) => w.u32(q.portNo).u32(q.queueId),
      (r, version) => ({
        type: 'queue_desc',
        portNo: readPortNo(r, version),
        queueId: r.u32(),
      }),
    ),
    reply: bodies<ReplyOf<'queue_desc'>>(
      ['OFPST14_QUEUE_DESC_REPLY'],
      (w, p, version) => w.items(p.queues, (q) => putQueue(w, q, version)),
      (r, version) =>
        items(
          r,
          () => readQueue(r, version, 0),
          (queues) => ({ type: 'queue_desc', queues }),
        ),
    ),
  },
};
