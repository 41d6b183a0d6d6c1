/** The Windows event log, where a service tells what nobody else would see. */
import { advapi } from './advapi.js';

/** wType of ReportEventW. */
const TYPES = { error: 1, warning: 2, information: 4 } as const;
export type EventType = keyof typeof TYPES;

/**
 * Opens the event log as `source`.
 *
 * @returns what writes one entry; entries that cannot be written are lost, as there is nobody left to tell.
 * @throws FatalError where there is no event log.
 */
export function openEventLog(source: string): (type: EventType, text: string) => void {
  const api = advapi();
  const handle = api.openEventSource(source);
  return (type, text) => {
    if (handle !== null) api.reportEvent(handle, TYPES[type], text);
  };
}
