import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';

/** Is OpenSSL's command line tool there? Open vSwitch's packages depend on it. */
export function opensslAvailable(): boolean {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
}

/** Files of a key and its certificate. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a certificate authority, `NAME.key` and `NAME.pem` in `dir`. */
export function makeCa(dir: string, name: string): KeyPair {
  const files = { key: path.join(dir, `${name}.key`), cert: path.join(dir, `${name}.pem`) };
  openssl('req', '-x509', ...NEW_KEY, '-keyout', files.key, '-out', files.cert, '-subj', `/CN=${name}`);
  return files;
}

/** Makes a key and a certificate of that authority with this common name, `NAME.key` and `NAME.pem` in `dir`. */
export function makeCertificate(dir: string, name: string, ca: KeyPair, commonName = name): KeyPair {
  const files = { key: path.join(dir, `${name}.key`), cert: path.join(dir, `${name}.pem`) };
  const request = path.join(dir, `${name}.req`);
  openssl('req', ...NEW_KEY, '-keyout', files.key, '-out', request, '-subj', `/O=test/CN=${commonName}`);
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    ca.cert,
    '-CAkey',
    ca.key,
    '-CAcreateserial',
    '-out',
    files.cert,
  );
  return files;
}
