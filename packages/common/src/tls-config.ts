/**
 * What TLS connections of this process stand on: files of a key, a certificate and CA certificates, protocols,
 * ciphers. One set per process, given by options (ovs-vswitchd(8), "Public Key Infrastructure Options") or by the SSL
 * table, and changed at any time: the next connection uses what is set then, and files that have changed since are
 * read again. Connections that stand keep what they were made with.
 *
 * A file that cannot be read is logged when it is named, and the one read before stays in use.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { X509Certificate } from 'node:crypto';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { OvsError, errnoName, errorMessage, isOfDirectory, strerror } from './errors.js';
import { vlog } from './vlog.js';

const log = vlog('stream_ssl');

/** Names of files; what is absent stays as it is. Relative names are relative to the working directory. */
export interface TlsConfig {
  readonly privateKey?: string | undefined;
  readonly certificate?: string | undefined;
  /** CA certificates that the other side's certificate must descend from; `none` accepts any. */
  readonly caCert?: string | undefined;
  /** Where `caCert` does not exist, the first connection made writes what it was shown there, and ends. */
  readonly bootstrap?: boolean | undefined;
  /** CA certificates to show the other side beside our own, for its bootstrapping. */
  readonly peerCaCert?: string | undefined;
  /** Of TLSv1, TLSv1.1, TLSv1.2, separated by spaces or commas. */
  readonly protocols?: string | undefined;
  /** An OpenSSL cipher list, for TLS 1.2 and below. */
  readonly ciphers?: string | undefined;
}

/** The ciphers of TLS 1.3, which no option changes; a context without any of them would not speak it. */
const TLS13_CIPHERS = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
const DEFAULT_CIPHERS = 'HIGH:!aNULL:!MD5';
const NO_CA = 'none';

/** A file in use, and its state when it was read. */
interface Loaded<T> {
  readonly file: string;
  readonly stamp: string;
  readonly value: T | undefined;
}

let privateKey: Loaded<string> | undefined;
let certificate: Loaded<string> | undefined;
let caCert: Loaded<readonly string[]> | undefined;
let peerCaCert: Loaded<readonly string[]> | undefined;
let verifyPeer = true;
let bootstrapFile: string | undefined;
let ciphers = DEFAULT_CIPHERS;
let versions: { readonly min: SecureVersion; readonly max: SecureVersion } = { min: 'TLSv1', max: 'TLSv1.3' };
let context: SecureContextOptions | undefined;

// Loading these takes longer than most tools run: only who uses TLS pays.
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');

/** An error of OpenSSL as the peer prints it, from Node's text, which adds functions and files. */
export function sslErrorText(error: unknown): string {
  const text = errorMessage(error);
  const parts = /error:([0-9A-F]{8}):([^:]*):[^:]*:([^:]*)/.exec(text);
  return parts ? `error:${parts[1]}:${parts[2]}::${parts[3]}` : text;
}

/** What OpenSSL says when a file cannot be opened. */
function systemErrorText(error: unknown): string {
  // The system's number, which is not libuv's on Windows.
  const number = os.constants.errno[errnoName(error) as 'ENOENT'] ?? 0;
  const code = (0x80000000 + number).toString(16).toUpperCase();
  return `error:${code}:system library::${strerror(errnoName(error))}`;
}

/**
 * Errors of OpenSSL that nobody has told of yet. It keeps them in a queue, of which the peer takes one each time that
 * something fails: what is told can be left over from before.
 */
const untold: string[] = [];

/** The error to tell of when these came. */
function nextError(...errors: readonly string[]): string {
  untold.push(...errors);
  return untold.shift()!;
}

const BIO_ERROR = 'error:10080002:BIO routines::system lib';

/** A kind of file: what OpenSSL says besides of one that is not there, and of one that is wrong. */
interface FileKind {
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
  /** Whether one that is right has OpenSSL forget its errors. */
  readonly forgets: boolean;
}

const OWN_FILE: FileKind = {
  missing: [BIO_ERROR, 'error:0A080002:SSL routines::system lib'],
  wrong: ['error:0A080009:SSL routines::PEM lib'],
  forgets: false,
};

const CA_FILE: FileKind = { missing: [BIO_ERROR], wrong: [], forgets: true };

/** Tells two states of a file apart; a file that is not there has one too. */
function stampOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.mtimeNs} ${stat.size} ${stat.ino}` : '';
}

/** The text of a file; a directory has none. */
function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (isOfDirectory(error)) return '';
    throw error;
  }
}

/** Reads a file if it is another than before, or has changed; logs what is wrong and keeps what was read before. */
function load<T>(
  before: Loaded<T> | undefined,
  file: string,
  what: string,
  kind: FileKind,
  parse: (text: string) => T,
): Loaded<T> {
  const stamp = stampOf(file);
  if (before?.file === file && before.stamp === stamp) return before;
  context = undefined;
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    log.err(`${what}: ${nextError(systemErrorText(error), ...kind.missing)}`);
    return { file, stamp, value: before?.value };
  }
  try {
    const value = parse(text);
    if (kind.forgets) untold.length = 0;
    return { file, stamp, value };
  } catch (error) {
    log.err(`${what}: ${nextError(sslErrorText(error), ...kind.wrong)}`);
    return { file, stamp, value: before?.value };
  }
}

const PEM = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/gs;

function parseKey(text: string): string {
  crypto().createPrivateKey(text);
  return text;
}

/** The first certificate of a file. */
function parseCertificate(text: string): string {
  const first = PEM[Symbol.match](text)?.[0] ?? text;
  void new (crypto().X509Certificate)(first);
  return first;
}

/** All certificates of a file, at least one. */
function parseCertificates(text: string): string[] {
  const found = PEM[Symbol.match](text) ?? [text];
  for (const each of found) void new (crypto().X509Certificate)(each);
  return [...found];
}

function setCaCert(file: string, bootstrap: boolean): void {
  const isMissing = stampOf(file) === '';
  const isNone = file === NO_CA;
  const wasVerified = verifyPeer;
  verifyPeer = !isNone;
  bootstrapFile = bootstrap && isMissing && !isNone ? file : undefined;
  if (isNone || bootstrapFile !== undefined) {
    if (isNone && (wasVerified || caCert?.file !== file)) {
      log.warn('Peer certificate validation disabled (this is a security risk)');
    }
    context = undefined;
    caCert = { file, stamp: '', value: undefined };
    return;
  }
  caCert = load(caCert, file, `failed to load client certificates from ${file}`, CA_FILE, parseCertificates);
}

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;

function setProtocols(text: string): void {
  const words = text.split(/[ ,\t]+/).filter((word) => word !== '');
  if (words.length === 0) {
    log.err('SSL protocol settings invalid');
    return;
  }
  const bad = words.find((word) => !PROTOCOLS.some((name) => name === word));
  if (bad !== undefined) {
    log.err(`${bad}: SSL protocol not recognized`);
    return;
  }
  // Versions that a gap separates from the lowest are not used: TLS says only the highest that a client knows.
  let at = PROTOCOLS.findIndex((name) => words.includes(name));
  const min = PROTOCOLS[at]!;
  while (at + 1 < PROTOCOLS.length && words.includes(PROTOCOLS[at + 1]!)) at++;
  versions = { min, max: PROTOCOLS[at]! };
  context = undefined;
}

function setCiphers(text: string): void {
  try {
    tls().createSecureContext({ ciphers: `${TLS13_CIPHERS}:${text}` });
  } catch (error) {
    log.err(`SSL_CTX_set_cipher_list: ${nextError(sslErrorText(error))}`);
    return;
  }
  ciphers = text;
  context = undefined;
}

/** Changes what the next connections use. Never throws: what is wrong with a file or a word is logged. */
export function setTlsConfig(config: TlsConfig): void {
  const { privateKey: key, certificate: cert, caCert: ca, peerCaCert: shown } = config;
  if (key !== undefined) privateKey = load(privateKey, key, 'SSL_use_PrivateKey_file', OWN_FILE, parseKey);
  if (cert !== undefined)
    certificate = load(certificate, cert, 'SSL_use_certificate_file', OWN_FILE, parseCertificate);
  if (ca !== undefined) setCaCert(ca, config.bootstrap ?? false);
  if (shown !== undefined) {
    peerCaCert = load(
      peerCaCert,
      shown,
      `failed to load client certificates from ${shown}`,
      CA_FILE,
      parseCertificates,
    );
  }
  if (config.protocols !== undefined) setProtocols(config.protocols);
  if (config.ciphers !== undefined) setCiphers(config.ciphers);
}

/** Reads again what has changed on the disk. */
function refresh(): void {
  setTlsConfig({
    privateKey: privateKey?.file,
    certificate: certificate?.file,
    peerCaCert: peerCaCert?.file,
  });
  if (caCert !== undefined && verifyPeer) setCaCert(caCert.file, bootstrapFile !== undefined);
}

/** Our certificate and those between it and its root that we know: the other side may know none of them. */
function chain(leaf: string, known: readonly string[]): string {
  const { X509Certificate: Certificate } = crypto();
  const rest = new Map(known.map((pem) => [pem, new Certificate(pem)]));
  const text = [leaf];
  let last = new Certificate(leaf);
  for (;;) {
    const next = [...rest].find(([, each]) => last.checkIssued(each));
    if (next === undefined) return text.join('\n');
    text.push(next[0]);
    last = next[1];
    rest.delete(next[0]);
  }
}

function buildContext(): SecureContextOptions {
  const key = privateKey?.value;
  const cert = certificate?.value;
  if (key === undefined) log.err('Private key must be configured to use SSL');
  if (cert === undefined) log.err('Certificate must be configured to use SSL');
  if (caCert === undefined) log.err('CA certificate must be configured to use SSL');
  if (key === undefined || cert === undefined || caCert === undefined) {
    throw new OvsError(strerror('ENOPROTOOPT'), 'ENOPROTOOPT');
  }
  const ca = caCert.value ?? [];
  const { X509Certificate: Certificate, createPrivateKey } = crypto();
  if (!new Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    const error = nextError('error:0A0000BE:SSL routines::no private key assigned');
    log.err(`Private key does not match certificate public key: ${error}`);
    throw new OvsError(strerror('ENOPROTOOPT'), 'ENOPROTOOPT');
  }
  return {
    key,
    cert: chain(cert, peerCaCert?.value ?? ca),
    // An empty list is one: it trusts nobody. Without a list Node trusts the world's authorities.
    ca: [...ca],
    ciphers: `${TLS13_CIPHERS}:${ciphers}`,
    minVersion: versions.min,
    maxVersion: versions.max,
  };
}

/** What a connection is made with. */
export interface TlsSettings {
  /** For `createSecureContext`; the same object as long as nothing has changed. */
  readonly context: SecureContextOptions;
  /** Whether the other side must show a certificate of a CA that we trust. */
  readonly verifyPeer: boolean;
  /** The first connection made is to fill this file. */
  readonly bootstrapFile: string | undefined;
}

/**
 * What the next connection is made with.
 *
 * @throws OvsError ENOPROTOOPT when a key, a certificate or a CA certificate is missing; it has been logged.
 */
export function tlsSettings(): TlsSettings {
  refresh();
  context ??= buildContext();
  // A handshake begins without errors from before.
  untold.length = 0;
  return { context, verifyPeer, bootstrapFile };
}

/** `/C=US/CN=name`, as OpenSSL's one-line form. */
function oneLine(certificateToName: X509Certificate): string {
  return certificateToName.subject
    .split('\n')
    .map((part) => `/${part}`)
    .join('');
}

/**
 * Puts the CA certificate at the end of a chain into the file to bootstrap, and trusts it from now on.
 *
 * @param last the last certificate that the other side showed, undefined for none.
 * @throws OvsError EPROTO for one that is no CA's, an errno name when the file cannot be made; it has been logged.
 */
export function bootstrapCaCert(last: X509Certificate | undefined): void {
  const file = bootstrapFile;
  if (file === undefined) return;
  const failed = 'could not bootstrap CA cert: ';
  if (last === undefined) {
    log.err(`${failed}no certificate presented by peer`);
    throw new OvsError(strerror('EPROTO'), 'EPROTO');
  }
  if (!last.checkIssued(last)) {
    log.err(`${failed}obtained certificate is not self-signed (${oneLine(last)})`);
    throw new OvsError(strerror('EPROTO'), 'EPROTO');
  }
  try {
    fs.writeFileSync(file, last.toString(), { flag: 'wx', mode: 0o444 });
  } catch (error) {
    const code = errnoName(error);
    if (code !== 'EEXIST') {
      log.err(`${failed}creating ${file} failed: ${strerror(code)}`);
      throw new OvsError(strerror(code), code, { cause: error });
    }
    log.info(`reading CA cert ${file} created by another process`);
    setCaCert(file, false);
    return;
  }
  log.info(`successfully bootstrapped CA cert to ${file}`);
  setCaCert(file, false);
  const fingerprint = last.fingerprint.toLowerCase();
  log.info(`Trusting CA cert from ${file} (${oneLine(last)}) (fingerprint ${fingerprint})`);
}
