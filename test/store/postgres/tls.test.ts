import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresConfig, readConfig } from '../../../src/server/config.ts';
import { surveyDatabase } from '../../../src/server/databases.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { waitUntil } from '../../support/cluster.ts';
import { type PrivatePostgresServer, startPostgres } from '../../support/postgres-server.ts';
import { requiredProgram, requires } from '../../support/requirements.ts';

/** The user id of the server where tests run as root. */
const NOBODY = 65_534;
/** The rules of pg_hba.conf. */
const RULES = `
hostssl   all certified all cert
hostnossl all plainly   all trust
hostssl   all secretly  all trust
host      all jamjet,postgres all trust
`;

let server: PrivatePostgresServer;
let folder: string;
let url: string;

const pathOf = (name: string): string => join(folder, name);

/** Certificates of a test authority; the server's is for `localhost` only, whatever address it is reached at. */
function makeCertificates(): void {
  const openssl = (...args: readonly string[]) => execFileSync(requiredProgram('openssl'), args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const signed = (name: string, subject: string): void => {
    openssl('req', ...key, '-subj', `/CN=${subject}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`);
  };
  openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', '-x509', ...key, '-subj', '/CN=another', '-keyout', 'other.key', '-out', 'other.crt');
  signed('server', 'localhost');
  signed('client', 'certified');
  signed('stranger', 'other');
  openssl('rsa', '-aes256', '-in', 'client.key', '-passout', 'pass:tell none', '-out', 'locked.key');
  writeFileSync(pathOf('no.key'), 'nothing of the kind');
}

async function asSuperuser<Row extends object>(...statements: readonly string[]): Promise<readonly Row[]> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  let rows: Row[] = [];
  for (const statement of statements) ({ rows } = await client.query<Row>(statement));
  await client.end();
  return rows;
}

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'jamjet-tls-'));
  makeCertificates();
  writeFileSync(pathOf('pg_hba.conf'), RULES);
  chmodSync(folder, 0o755);
  chmodSync(pathOf('server.key'), 0o600);
  if (process.getuid?.() === 0) chownSync(pathOf('server.key'), NOBODY, NOBODY);
  await asSuperuser(
    ...['certified', 'plainly', 'secretly'].flatMap((name) => [`CREATE ROLE ${name} LOGIN`, `GRANT jamjet TO ${name}`]),
    `ALTER SYSTEM SET hba_file = '${pathOf('pg_hba.conf')}'`,
    `ALTER SYSTEM SET ssl_ca_file = '${pathOf('ca.crt')}'`,
    `ALTER SYSTEM SET ssl_cert_file = '${pathOf('server.crt')}'`,
    `ALTER SYSTEM SET ssl_key_file = '${pathOf('server.key')}'`,
    'ALTER SYSTEM SET ssl = on',
  );
  await server.restart();
  await (await openPostgres({ url, nowMs: Date.now })).close();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Way {
  readonly host?: string;
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function configured(parameters: string, { host = '127.0.0.1', user = 'jamjet', env = {} }: Way = {}): PostgresConfig {
  const named = `${url.replace('127.0.0.1', host).replace('jamjet@', `${user}@`)}?${parameters}`;
  return readConfig({ ...env, DATABASE_URL: named }).database as PostgresConfig;
}

/** Whether all kinds of connections are encrypted. Rejects when they cannot be made. */
async function encrypted(parameters: string, way: Way = {}): Promise<boolean> {
  const store = await openPostgres({ url: configured(parameters, way).url, nowMs: Date.now });
  try {
    store.subscribe(() => {});
    await store.tokenByHash('');
    await store.recordStop('rt_1', 1);
    let connections: readonly { readonly ssl: boolean }[] = [];
    await waitUntil(async () => {
      connections = await asSuperuser(`SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'jamjet' AND usename = '${way.user ?? 'jamjet'}' AND state = 'idle'`);
      return connections.length === 3;
    });
    const found = new Set(connections.map(({ ssl }) => ssl));
    if (found.size !== 1) throw new Error('some are, and some are not');
    return found.has(true);
  } finally {
    await store.close();
  }
}

const connectionFailure = { name: 'StoreError', code: 'store_unavailable' };

describe('sslmode in DATABASE_URL', requires('openssl'), () => {
  it('disable: no TLS', async () => {
    expect(await encrypted('sslmode=disable')).toBe(false);
    await expect(encrypted('sslmode=disable', { user: 'secretly' })).rejects.toMatchObject(connectionFailure);
  });

  it('allow: TLS where the server requires it', async () => {
    expect(await encrypted('sslmode=allow')).toBe(false);
    expect(await encrypted('sslmode=allow', { user: 'secretly' })).toBe(true);
  });

  it('prefer: TLS where the server supports it', async () => {
    expect(await encrypted('sslmode=prefer')).toBe(true);
    expect(await encrypted('sslmode=prefer', { user: 'plainly' })).toBe(false);
  });

  it('require: TLS with any certificate, unless an authority is named', async () => {
    expect(await encrypted('sslmode=require')).toBe(true);
    expect(await encrypted('ssl=true')).toBe(true);
    expect(await encrypted(`sslmode=require&sslrootcert=${pathOf('ca.crt')}`)).toBe(true);
    await expect(encrypted(`sslmode=require&sslrootcert=${pathOf('other.crt')}`)).rejects.toMatchObject(connectionFailure);
    await expect(encrypted('sslmode=require', { user: 'plainly' })).rejects.toMatchObject(connectionFailure);
  });

  it('verify-ca: verifies the authority, but not the name', async () => {
    expect(await encrypted(`sslmode=verify-ca&sslrootcert=${pathOf('ca.crt')}`)).toBe(true);
    await expect(encrypted(`sslmode=verify-ca&sslrootcert=${pathOf('other.crt')}`)).rejects.toMatchObject(connectionFailure);
  });

  it('verify-full: verifies the name, too', async () => {
    const authority = `sslmode=verify-full&sslrootcert=${pathOf('ca.crt')}`;
    expect(await encrypted(authority, { host: 'localhost' })).toBe(true);
    await expect(encrypted(authority)).rejects.toMatchObject(connectionFailure);
    await expect(encrypted('sslmode=verify-full', { host: 'localhost' })).rejects.toMatchObject(connectionFailure);
    await expect(encrypted('sslmode=verify-full&sslrootcert=system', { host: 'localhost' })).rejects.toMatchObject(
      connectionFailure,
    );
  });

  it('is read from the environment where the URL says nothing', async () => {
    const env = { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: pathOf('ca.crt') };
    expect(await encrypted('', { env })).toBe(true);
    expect(await encrypted('sslmode=disable', { env })).toBe(false);
    await expect(encrypted('', { env: { ...env, PGSSLROOTCERT: pathOf('other.crt') } })).rejects.toMatchObject(connectionFailure);
  });

  it('prefer and allow connect without TLS when the server has none', async () => {
    await asSuperuser('ALTER SYSTEM SET ssl = off', 'SELECT pg_reload_conf()');
    await waitUntil(async () => (await asSuperuser<{ ssl: string }>('SHOW ssl'))[0]?.ssl === 'off');
    try {
      expect(await encrypted('sslmode=prefer')).toBe(false);
      expect(await encrypted('sslmode=allow')).toBe(false);
      await expect(encrypted('sslmode=require')).rejects.toMatchObject(connectionFailure);
    } finally {
      await asSuperuser('ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()');
      await waitUntil(async () => (await asSuperuser<{ ssl: string }>('SHOW ssl'))[0]?.ssl === 'on');
    }
  });
});

describe('sslcert and sslkey', requires('openssl'), () => {
  const by = (certificate: string, key: string, more = ''): string =>
    `sslmode=verify-full&sslrootcert=${pathOf('ca.crt')}&sslcert=${pathOf(certificate)}&sslkey=${pathOf(key)}${more}`;
  const way: Way = { host: 'localhost', user: 'certified' };

  it('are presented to a server that asks for a certificate, on every connection', async () => {
    expect(await encrypted(by('client.crt', 'client.key'), way)).toBe(true);
    expect(await encrypted(by('client.crt', 'locked.key', '&sslpassword=tell%20none'), way)).toBe(true);
    const survey = await surveyDatabase(configured(by('client.crt', 'client.key'), way));
    expect(survey.schemaVersion).toBe(survey.newestVersion);
  });

  it('must belong to the user', async () => {
    await expect(encrypted(by('stranger.crt', 'stranger.key'), way)).rejects.toMatchObject(connectionFailure);
    await expect(encrypted(`sslmode=require`, way)).rejects.toThrow(/valid client certificate/);
  });

  it.each([
    ['a file that is missing', ['gone.crt', 'client.key'], /sslcert \S+gone\.crt does not exist$/],
    ['a key that is missing', ['client.crt', 'gone.key'], /sslkey \S+gone\.key does not exist$/],
    ['what is no certificate', ['no.key', 'client.key'], /sslcert \S+no\.key holds no certificate in PEM$/],
    ['what is no key', ['client.crt', 'no.key'], /sslkey \S+no\.key holds no private key in PEM$/],
    ['the key of another', ['client.crt', 'other.key'], /sslkey \S+other\.key does not belong to sslcert \S+client\.crt$/],
    ['a locked key', ['client.crt', 'locked.key'], /sslkey \S+locked\.key is encrypted, and there is no sslpassword$/],
  ] as const)('say what is wrong with %s', async (_, [certificate, key], problem) => {
    const opened = encrypted(by(certificate, key), way);
    await expect(opened).rejects.toMatchObject({ ...connectionFailure, message: expect.stringMatching(problem) });
    await expect(opened).rejects.not.toThrow(/\n/);
  });

  it('do not reveal the password of the key', async () => {
    const opened = encrypted(by('client.crt', 'locked.key', '&sslpassword=s3cret'), way);
    await expect(opened).rejects.toThrow(/sslpassword does not fit$/);
    await expect(opened).rejects.not.toThrow(/s3cret/);
  });

  it('are read again for later connections, and may be missing temporarily', async () => {
    copyFileSync(pathOf('client.crt'), pathOf('mine.crt'));
    copyFileSync(pathOf('client.key'), pathOf('mine.key'));
    const store = await openPostgres({ url: configured(by('mine.crt', 'mine.key'), way).url, nowMs: Date.now });
    const breakAll = (): Promise<unknown> =>
      asSuperuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'certified'");
    const works = (): Promise<void> =>
      waitUntil(() =>
        store.tokenByHash('').then(
          () => true,
          () => false,
        ),
      );
    rmSync(pathOf('mine.key'));
    await breakAll();
    await works();
    for (const kind of ['crt', 'key']) copyFileSync(pathOf(`stranger.${kind}`), pathOf(`mine.${kind}`));
    await breakAll();
    await waitUntil(() =>
      store.tokenByHash('').then(
        () => false,
        (error: Error) => /certificate authentication failed/.test(error.message),
      ),
    );
    for (const kind of ['crt', 'key']) copyFileSync(pathOf(`client.${kind}`), pathOf(`mine.${kind}`));
    await works();
    await store.close();
  });
});
