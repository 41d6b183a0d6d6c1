/**
 * TLS over a connected socket, both sides: stream_ssl of the peer's words. Loaded when the first `ssl:` or `pssl:` name
 * is used.
 *
 * Both sides show a certificate and check the other's against the CA certificates of `tls-config.ts`; host names are
 * not checked, as the peer does not. Node checks a certificate after the handshake, so the side that is refused sees its
 * connection end instead of an alert.
 *
 * Errors of the streams are logged here; `errnoName` makes EPROTO of those that are TLS's own.
 */
import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { errnoName, OvsError, strerror } from './errors.js';
import { bootstrapCaCert, sslErrorText, tlsSettings, type TlsSettings } from './tls-config.js';
import { RateLimit, vlog } from './vlog.js';

const log = vlog('stream_ssl');
const limit = new RateLimit(10, 25);

/** A stranger who connects has this long to finish the handshake, ms. */
const HANDSHAKE_MS = 30_000;

const UNEXPECTED_EOF = 'error:0A000126:SSL routines::unexpected eof while reading';
const VERIFY_FAILED = 'error:0A000086:SSL routines::certificate verify failed';

function protocolError(cause?: unknown): OvsError {
  return new OvsError(strerror('EPROTO'), 'EPROTO', { cause });
}

/** Logs what `call` (as OpenSSL names it) failed with. */
function report(call: string, error: unknown): void {
  const { code, syscall } = error as { code?: string; syscall?: string };
  let text = sslErrorText(error);
  // Node's own words for a connection that ended within the handshake, and for one that took too long.
  if (code === 'ECONNRESET' && syscall === undefined) text = UNEXPECTED_EOF;
  else if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') text = 'handshake timed out';
  else if (syscall !== undefined) text = `system error (${strerror(errnoName(error))})`;
  log.warnRl(limit, `${call}: ${text}`);
}

/** The last certificate of the chain that the other side showed. */
function lastOfChain(socket: tls.TLSSocket): X509Certificate | undefined {
  let last = socket.getPeerX509Certificate();
  while (last?.issuerCertificate !== undefined && !last.checkIssued(last)) last = last.issuerCertificate;
  return last;
}

/**
 * Makes a connected socket a TLS client's, and waits for the handshake. It owns `socket`.
 *
 * @param host the name connected to, sent to the server unless it is an address.
 * @throws (rejects) OvsError: ENOPROTOOPT without a key or certificates, EPROTO when the handshake fails, an errno name
 *   when the connection does; it is logged.
 */
export function startTlsClient(socket: net.Socket, host: string): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const { context, verifyPeer, bootstrapFile } = tlsSettings();
    const secured = tls.connect({
      socket,
      ...context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
    });
    const give = (error: unknown): void => {
      secured.removeAllListeners();
      secured.on('error', () => {});
      secured.destroy();
      reject(error as Error);
    };
    const failed = (error: Error): void => {
      report('SSL_connect', error);
      const isSystem = (error as { syscall?: string }).syscall !== undefined;
      give(
        isSystem ? new OvsError(strerror(error), errnoName(error), { cause: error }) : protocolError(error),
      );
    };
    secured.once('error', failed);
    secured.once('secureConnect', () => {
      secured.removeListener('error', failed);
      if (bootstrapFile !== undefined) {
        try {
          bootstrapCaCert(lastOfChain(secured));
          log.info('killing successful connection to retry using CA cert');
          give(protocolError());
        } catch (error) {
          give(error);
        }
      } else if (verifyPeer && !secured.authorized) {
        log.warnRl(limit, `SSL_connect: ${VERIFY_FAILED}`);
        give(protocolError(new Error(VERIFY_FAILED)));
      } else {
        secured.on('error', (error) => report('SSL_read', error));
        resolve(secured);
      }
    });
  });
}

/** The server's side of one listener. */
export class TlsAcceptor {
  readonly #onSecure: (socket: tls.TLSSocket) => void;
  #server: tls.Server | undefined;
  #settings: TlsSettings | undefined;

  /** @param onSecure owns each stream that it is given, and must handle its 'error' events. */
  constructor(onSecure: (socket: tls.TLSSocket) => void) {
    this.#onSecure = onSecure;
  }

  /**
   * Starts the handshake on an accepted socket. One that fails is logged, and ends the connection.
   *
   * @throws OvsError ENOPROTOOPT without a key or certificates; the socket is the caller's then.
   */
  accept(socket: net.Socket): void {
    const settings = tlsSettings();
    const before = this.#settings;
    const isOther = settings.context !== before?.context || settings.verifyPeer !== before.verifyPeer;
    if (this.#server === undefined || isOther) this.#server = this.#make(settings);
    this.#settings = settings;
    this.#server.emit('connection', socket);
  }

  /** Never listens: it is handed connections. */
  #make(settings: TlsSettings): tls.Server {
    const server = tls.createServer({
      ...settings.context,
      requestCert: settings.verifyPeer,
      rejectUnauthorized: settings.verifyPeer,
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', (error) => report('SSL_read', error));
      this.#onSecure(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      // A certificate that was refused, by Node itself.
      if (socket.authorizationError) {
        log.warnRl(limit, `SSL_accept: ${VERIFY_FAILED}`);
      } else report('SSL_accept', error);
      socket.on('error', () => {});
      socket.destroy();
    });
    return server;
  }
}
