import { EINVAL, EOPNOTSUPP } from '../sys/linux.js';
import { decodePortOptions, deviceSettings, type PortOptions, sameButSettings } from './options.js';

/** What event-driven ports share: the loop has no descriptor of theirs to wait on, and nothing to ask. */
export abstract class EventPort {
  readonly fd = -1;

  receive(): number {
    return 0;
  }

  release(): void {}
  refresh(): void {}
  fault(): void {}
}

/**
 * New options for a port whose address and MTU are nothing but settings, which are changed.
 *
 * @param options those it has.
 * @param payload OVS_VPORT_ATTR_OPTIONS.
 * @returns the new options; EINVAL when they are malformed, EOPNOTSUPP when more than settings differs.
 */
export function changeSettings(
  port: { mac: Uint8Array; mtu: number },
  options: PortOptions,
  payload: Uint8Array,
): PortOptions | number {
  const wanted = decodePortOptions(payload);
  const settings = wanted && deviceSettings(wanted);
  if (wanted === undefined || settings === undefined) return EINVAL;
  if (!sameButSettings(wanted, options)) return EOPNOTSUPP;
  if (settings.mac !== undefined) port.mac = settings.mac;
  if (settings.mtu !== undefined) port.mtu = settings.mtu;
  return wanted;
}
