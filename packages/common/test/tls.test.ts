import test, { type ExecutionContext } from 'ava';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { connectStream, listenStream, peerCommonName, type Listener } from '../src/stream.js';
import { makeCa, makeCertificate, type KeyPair } from '../src/testkit/certificates.js';
import { needing } from '../src/testkit/require.js';
import { tmpDir } from '../src/testkit/tmp.js';
import { setTlsConfig } from '../src/tls-config.js';
import { observeLog, setLevels } from '../src/vlog.js';

setLevels(null, 'console', 'off');
const lines: string[] = [];
observeLog(({ module, level, text }) => {
  if (module === 'stream_ssl' && level !== 'DBG') lines.push(`${level} ${text}`);
});
/** What stream_ssl has logged since the last time. */
const logged = (): string[] => lines.splice(0);

const tls = needing(test.serial, 'openssl');

interface Pki {
  readonly dir: string;
  readonly ca: KeyPair;
  readonly other: KeyPair;
  readonly server: KeyPair;
  readonly client: KeyPair;
  readonly stranger: KeyPair;
}
let made: Pki | undefined;

function pki(): Pki {
  if (made !== undefined) return made;
  const dir = tmpDir();
  const ca = makeCa(dir, 'ca');
  const other = makeCa(dir, 'other');
  const of = (name: string, by: KeyPair): KeyPair => makeCertificate(dir, name, by);
  made = {
    dir,
    ca,
    other,
    server: of('server', ca),
    client: of('client', ca),
    stranger: of('stranger', other),
  };
  return made;
}

function use(pair: KeyPair, caCert: string): void {
  setTlsConfig({ privateKey: pair.key, certificate: pair.cert, caCert });
}

/** A server that answers with the name of who speaks and what was said. */
async function serve(t: ExecutionContext, name = 'pssl:0:127.0.0.1'): Promise<Listener> {
  const listener = await listenStream(name, (socket, id) => {
    socket.on('error', () => {});
    socket.on('data', (d: Buffer) =>
      socket.write(`${id.replace(/\d+$/, 'N')} ${peerCommonName(socket)} ${d.toString()}`),
    );
  });
  t.teardown(() => listener.close());
  return listener;
}

async function say(target: string): Promise<string> {
  const socket = await connectStream(target, { timeoutMs: 5000 });
  return new Promise((resolve) => {
    socket.on('error', (error) => resolve(`${error.name}`));
    socket.once('close', () => resolve('closed'));
    socket.once('data', (d: Buffer) => {
      resolve(d.toString());
      socket.destroy();
    });
    socket.write('hello');
  });
}

test.serial('without a key and certificates nothing is connected', async (t) => {
  await t.throwsAsync(connectStream('ssl:127.0.0.1:1'), {
    code: 'ENOPROTOOPT',
    message: 'Protocol not available',
  });
  t.deepEqual(logged(), [
    'ERR Private key must be configured to use SSL',
    'ERR Certificate must be configured to use SSL',
    'ERR CA certificate must be configured to use SSL',
  ]);
});

tls('both sides show who they are, over IPv4 and IPv6', async (t) => {
  const { ca, server, client } = pki();
  use(server, ca.cert);
  const v4 = await serve(t);
  const v6 = await serve(t, 'pssl:0:[::1]');
  t.is(await say(`ssl:127.0.0.1:${v4.port}`), 'ssl:127.0.0.1:N server hello');
  // The next connection is made with what is set then.
  use(client, ca.cert);
  t.is(await say(`ssl:[::1]:${v6.port}`), 'ssl:[::1]:N client hello');
  t.is(await say(`ssl:localhost:${v4.port}`), 'ssl:127.0.0.1:N client hello');
  t.deepEqual(logged(), []);
});

tls('who is not trusted gets no connection', async (t) => {
  const { ca, other, server, stranger } = pki();
  use(server, ca.cert);
  const listener = await serve(t);
  const target = `ssl:127.0.0.1:${listener.port}`;
  // One set of files per process: the server shows what the client does not trust.
  use(stranger, other.cert);
  t.is(await say(target), 'ssl:127.0.0.1:N stranger hello');
  use(stranger, ca.cert);
  await t.throwsAsync(connectStream(target), { code: 'EPROTO', message: 'Protocol error' });
  t.true(logged().includes('WARN SSL_connect: error:0A000086:SSL routines::certificate verify failed'));
  setTlsConfig({ caCert: 'none' });
  t.deepEqual(logged().slice(-1), ['WARN Peer certificate validation disabled (this is a security risk)']);
  t.is(await say(target), 'ssl:127.0.0.1:N undefined hello');
  use(server, ca.cert);
});

tls('a server refuses what is no TLS, what shows nothing, and what ends', async (t) => {
  const { ca, server } = pki();
  use(server, ca.cert);
  const listener = await serve(t);
  logged();
  const plain = net.connect(listener.port, '127.0.0.1', () => plain.write('{"method":"echo"}'));
  plain.on('error', () => {});
  await new Promise((resolve) => plain.once('close', resolve));
  t.regex(logged().join(), /^WARN SSL_accept: error:0A00[0-9A-F]{4}:SSL routines::\S/);
  const { default: nodeTls } = await import('node:tls');
  const silent = nodeTls.connect({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false });
  silent.on('error', () => {});
  await new Promise((resolve) => silent.once('close', resolve));
  t.deepEqual(logged(), ['WARN SSL_accept: error:0A0000C7:SSL routines::peer did not return a certificate']);
  const short = net.connect(listener.port, '127.0.0.1', () => short.end());
  short.resume();
  await new Promise((resolve) => short.once('close', resolve));
  t.deepEqual(logged(), ['WARN SSL_accept: error:0A000126:SSL routines::unexpected eof while reading']);
  t.is(await say(`ssl:127.0.0.1:${listener.port}`), 'ssl:127.0.0.1:N server hello');
});

tls('files that change are read again, and what is wrong with them leaves the ones before', async (t) => {
  const { dir, ca, other, server, client, stranger } = pki();
  const key = path.join(dir, 'now.key');
  const cert = path.join(dir, 'now.pem');
  const put = (pair: KeyPair): void => {
    fs.copyFileSync(pair.key, key);
    fs.copyFileSync(pair.cert, cert);
  };
  put(server);
  use({ key, cert }, ca.cert);
  const listener = await serve(t);
  const target = `ssl:127.0.0.1:${listener.port}`;
  t.is(await say(target), 'ssl:127.0.0.1:N server hello');
  put(client);
  t.is(await say(target), 'ssl:127.0.0.1:N client hello');
  logged();
  fs.writeFileSync(cert, 'x');
  t.is(await say(target), 'ssl:127.0.0.1:N client hello');
  t.deepEqual(logged(), ['ERR SSL_use_certificate_file: error:0480006C:PEM routines::no start line']);
  fs.rmSync(cert);
  t.is(await say(target), 'ssl:127.0.0.1:N client hello');
  t.deepEqual(logged(), [
    'ERR SSL_use_certificate_file: error:80000002:system library::No such file or directory',
  ]);
  put(stranger);
  await t.throwsAsync(connectStream(target), { code: 'EPROTO' });
  setTlsConfig({ caCert: other.cert });
  t.is(await say(target), 'ssl:127.0.0.1:N stranger hello');
  setTlsConfig({ privateKey: client.key });
  logged();
  await t.throwsAsync(connectStream(target), { code: 'ENOPROTOOPT' });
  t.deepEqual(logged(), [
    'ERR Private key does not match certificate public key: error:0A0000BE:SSL routines::no private key assigned',
  ]);
});

tls('bootstrapping keeps the CA certificate that the first server shows', async (t) => {
  const { dir, ca, server } = pki();
  use(server, ca.cert);
  const listener = await serve(t);
  const target = `ssl:127.0.0.1:${listener.port}`;
  const file = path.join(dir, 'boot.pem');
  t.is(await say(target), 'ssl:127.0.0.1:N server hello');
  logged();
  setTlsConfig({ caCert: file, bootstrap: true, peerCaCert: ca.cert });
  await t.throwsAsync(connectStream(target), { code: 'EPROTO' });
  const said = logged().filter((line) => line.startsWith('INFO'));
  t.is(said[0], `INFO successfully bootstrapped CA cert to ${file}`);
  t.regex(said[1]!, /^INFO Trusting CA cert from .*boot\.pem \(\/CN=ca\) \(fingerprint [0-9a-f:]{59}\)$/);
  t.is(said[2], 'INFO killing successful connection to retry using CA cert');
  t.is(fs.readFileSync(file, 'utf8').trim(), fs.readFileSync(ca.cert, 'utf8').trim());
  t.is(await say(target), 'ssl:127.0.0.1:N server hello');
});

tls('protocols and ciphers are those that were asked for', async (t) => {
  const { ca, server } = pki();
  use(server, ca.cert);
  const listener = await serve(t);
  const spoken = async (): Promise<string> => {
    const socket = await connectStream(`ssl:127.0.0.1:${listener.port}`);
    const secured = socket as import('node:tls').TLSSocket;
    const text = `${secured.getProtocol()} ${secured.getCipher().name}`;
    socket.destroy();
    return text;
  };
  t.is(await spoken(), 'TLSv1.3 TLS_AES_256_GCM_SHA384');
  setTlsConfig({ protocols: 'TLSv1.1, TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
  t.is(await spoken(), 'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256');
  logged();
  setTlsConfig({ protocols: 'TLSv1.2,foo', ciphers: 'foo' });
  setTlsConfig({ protocols: '' });
  t.deepEqual(logged(), [
    'ERR foo: SSL protocol not recognized',
    'ERR SSL_CTX_set_cipher_list: error:0A0000B9:SSL routines::no cipher match',
    'ERR SSL protocol settings invalid',
  ]);
  t.is(await spoken(), 'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256');
});
