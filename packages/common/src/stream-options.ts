/** The option group of programs that speak TLS, and their help (ovs-vswitchd(8), "Public Key Infrastructure Options"). */
import type { OptionSpec } from './getopt.js';
import { setTlsConfig } from './tls-config.js';

/** -p, -c, -C and the other SSL options. They take effect at once, for the process. */
export const sslOptions = [
  {
    name: 'private-key',
    short: 'p',
    arg: 'required',
    apply: (privateKey) => setTlsConfig({ privateKey }),
  },
  {
    name: 'certificate',
    short: 'c',
    arg: 'required',
    apply: (certificate) => setTlsConfig({ certificate }),
  },
  { name: 'ca-cert', short: 'C', arg: 'required', apply: (caCert) => setTlsConfig({ caCert }) },
  {
    name: 'bootstrap-ca-cert',
    arg: 'required',
    apply: (caCert) => setTlsConfig({ caCert, bootstrap: true }),
  },
  { name: 'peer-ca-cert', arg: 'required', apply: (peerCaCert) => setTlsConfig({ peerCaCert }) },
  { name: 'ssl-protocols', arg: 'required', apply: (protocols) => setTlsConfig({ protocols }) },
  { name: 'ssl-ciphers', arg: 'required', apply: (ciphers) => setTlsConfig({ ciphers }) },
] as const satisfies readonly OptionSpec[];

/** The group of programs that lack some of it. */
export function sslOptionsWithout(...names: readonly (typeof sslOptions)[number]['name'][]): OptionSpec[] {
  return sslOptions.filter(({ name }) => !names.includes(name));
}

/**
 * The "… connection methods:" and "PKI configuration" parts of a program's --help, as the peer prints them.
 *
 * @param name 'JSON-RPC' or 'OpenFlow'.
 */
export function streamHelp(
  name: string,
  parts: { active?: boolean; passive?: boolean; bootstrap?: boolean; ssl?: boolean; defaultPort?: number },
): string {
  let text = '';
  if (parts.active) {
    const target = parts.defaultPort === undefined ? 'HOST:PORT ' : 'HOST[:PORT]';
    const note = parts.defaultPort === undefined ? '' : ` (default: ${parts.defaultPort})`;
    text += `Active ${name} connection methods:
  ${`tcp:${target}`.padEnd(22)}  PORT${note} at remote HOST
  ${`ssl:${target}`.padEnd(22)}  SSL PORT${note} at remote HOST
  unix:FILE               Unix domain socket named FILE
`;
  }
  if (parts.passive) {
    const target = parts.defaultPort === undefined ? 'PORT[:IP]' : '[PORT][:IP]';
    const note = parts.defaultPort === undefined ? '' : ` (default: ${parts.defaultPort})`;
    text += `Passive ${name} connection methods:
  ${`ptcp:${target}`.padEnd(22)}  listen to TCP PORT${note} on IP
  ${`pssl:${target}`.padEnd(22)}  listen for SSL on PORT${note} on IP
  punix:FILE              listen on Unix domain socket FILE
`;
  }
  text += `PKI configuration (required to use SSL):
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
`;
  if (parts.bootstrap)
    text += `  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create\n`;
  if (parts.ssl) {
    text += `SSL options:
  --ssl-protocols=PROTOS  list of SSL protocols to enable
  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable
`;
  }
  return text;
}
