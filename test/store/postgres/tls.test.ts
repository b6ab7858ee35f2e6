import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresConfig, readConfig } from '../../../src/config.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';

/** As whom the server runs where tests run as root. */
const NOBODY = 65_534;

let server: PostgresServer;
let folder: string;
let url: string;

const pathOf = (name: string): string => join(folder, name);

/** Of its own authority; for `localhost` alone, whatever address it is reached at. */
function makeCertificates(): void {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', '-x509', ...key, '-subj', '/CN=another', '-keyout', 'other.key', '-out', 'other.crt');
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-out',
    'server.crt',
  );
}

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'jamjet-tls-'));
  makeCertificates();
  chmodSync(folder, 0o755);
  chmodSync(pathOf('server.key'), 0o600);
  if (process.getuid?.() === 0) chownSync(pathOf('server.key'), NOBODY, NOBODY);
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(`ALTER SYSTEM SET ssl_cert_file = '${pathOf('server.crt')}'`);
  await client.query(`ALTER SYSTEM SET ssl_key_file = '${pathOf('server.key')}'`);
  await client.query('ALTER SYSTEM SET ssl = on');
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}, 60_000);
afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Is the connection encrypted? Rejects when it is not made. */
async function encrypted(parameters: string, host = '127.0.0.1'): Promise<boolean> {
  const named = `${url.replace('127.0.0.1', host)}?${parameters}`;
  const { database } = readConfig({ DATABASE_URL: named });
  const { url: given } = database as PostgresConfig;
  await (await openPostgres({ url: given, nowMs: Date.now })).close();
  const client = new Client({ connectionString: given });
  await client.connect();
  const { rows } = await client.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  await client.end();
  return rows[0]?.ssl ?? false;
}

describe('sslmode in DATABASE_URL', () => {
  it('disable: no TLS', async () => {
    expect(await encrypted('sslmode=disable')).toBe(false);
  });

  it('require: TLS, whoever has signed the certificate, unless an authority is named', async () => {
    expect(await encrypted('sslmode=require')).toBe(true);
    expect(await encrypted(`sslmode=require&sslrootcert=${pathOf('ca.crt')}`)).toBe(true);
    await expect(encrypted(`sslmode=require&sslrootcert=${pathOf('other.crt')}`)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  it('verify-ca: the authority must be right, the name need not', async () => {
    expect(await encrypted(`sslmode=verify-ca&sslrootcert=${pathOf('ca.crt')}`)).toBe(true);
    await expect(encrypted(`sslmode=verify-ca&sslrootcert=${pathOf('other.crt')}`)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  it('verify-full: the name, too', async () => {
    const authority = `sslmode=verify-full&sslrootcert=${pathOf('ca.crt')}`;
    expect(await encrypted(authority, 'localhost')).toBe(true);
    await expect(encrypted(authority)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(encrypted('sslmode=verify-full', 'localhost')).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('says which file is missing', async () => {
    await expect(encrypted('sslmode=verify-ca&sslrootcert=/none.crt')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/\/none\.crt/),
    });
  });
});
