/** Connections to switches by name; `OfConnection` itself takes any stream. */
import { setLongTimer } from '@ovs-node/common/clock';
import { errnoName, type OvsError } from '@ovs-node/common/errors';
import { connectStream, OPENFLOW_PORT } from '@ovs-node/common/stream';
import { sslErrorText } from '@ovs-node/common/tls-config';
import { OfConnection } from './connection.js';
import { ConnectionError, type ConnectionHandlers, type ConnectionOptions } from './connection-types.js';
import { ALL_VERSIONS } from './version.js';

const PATIENCE_MS = 10_000;

/** What errors of targets mean to who wrote them, where the system's words do not say it. */
const MEANINGS: Readonly<Record<string, string>> = {
  EAFNOSUPPORT: 'neither tcp:HOST[:PORT], ssl:HOST[:PORT] nor unix:PATH, or a host that has no address',
  ENOPROTOOPT: 'TLS has no private key, certificate or CA certificate yet (setTlsConfig)',
};

/** How to connect, and what the connection is to be like. */
export interface ConnectOptions extends ConnectionOptions {
  /** After this time without an answer to a hello, or without a connection, there is none; 10 s where it is not said. */
  readonly timeoutMs?: number;
}

/** The system's words, and those of OpenSSL where it has some. */
function words(error: unknown): string {
  const { code, message, cause } = error as OvsError;
  return code === 'EPROTO' && cause !== undefined ? `${message} (${sslErrorText(cause)})` : message;
}

/**
 * Connects to a switch and agrees on a version with it.
 *
 * @param target `tcp:HOST[:PORT]`, `unix:PATH` (on Windows a named pipe), `ssl:HOST[:PORT]`, as for ovs-ofctl(8); the
 *   port is 6653 unless it is said.
 * @param handlers as of `OfConnection`; `onClose` is not called for a connection that does not come about.
 * @returns the connection, its version known.
 * @throws ConnectionError when nobody answers, no version is agreed on, or one is offered that there is not.
 */
export async function connectSwitch(
  target: string,
  options: ConnectOptions,
  handlers: ConnectionHandlers = {},
): Promise<OfConnection> {
  const { timeoutMs = PATIENCE_MS, versions } = options;
  if (versions === 0 || (versions & ALL_VERSIONS) !== versions) {
    const text = `${target}: versions ${versions} are not of OpenFlow 1.0 to 1.5, of which 1.3 is 1 << OF13`;
    throw new ConnectionError(text, 'EPROTONOSUPPORT');
  }
  const stream = await connectStream(target, { defaultPort: OPENFLOW_PORT, timeoutMs }).catch(
    (error: unknown) => {
      const code = errnoName(error);
      throw new ConnectionError(`${target}: ${MEANINGS[code] ?? words(error)}`, code, { cause: error });
    },
  );
  return new Promise((resolve, reject) => {
    let isReady = false;
    const fail = (error: Error): void => {
      timer.cancel();
      reject(error);
      connection.close();
      // Who did not answer may not hang up either.
      stream.destroySoon();
    };
    const timer = setLongTimer(timeoutMs, () =>
      fail(new ConnectionError(`${target}: no hello in ${timeoutMs / 1000} s`, 'ETIMEDOUT')),
    );
    const connection = new OfConnection(stream, options, {
      ...handlers,
      onReady: (version, theirs) => {
        isReady = true;
        timer.cancel();
        handlers.onReady?.(version, theirs);
        resolve(connection);
      },
      onClose: (reason) => {
        if (isReady) handlers.onClose?.(reason);
        else fail(reason ?? new ConnectionError(`${target}: closed before a version was agreed on`, 'EOF'));
      },
    });
  });
}
