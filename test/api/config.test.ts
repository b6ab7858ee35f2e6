import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, databaseName, readConfig, unknownVariables, urlOf, VERSION } from '../../src/server/config.ts';
import { missingTools, toolsOf, varsOf } from '../../src/server/tenant-grants.ts';

function problemOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('configuration', () => {
  it('has the defaults of the reference', () => {
    expect(readConfig({})).toMatchObject({
      bind: '127.0.0.1',
      port: 7700,
      publicUrl: null,
      database: { engine: 'sqlite', path: '.jamjet/runtime.db' },
      token: null,
      serverUrl: null,
      logLevel: 'info',
      devMode: false,
      eventFormat: 'seed',
      stepLimit: 10_000,
      workflowVars: new Map(),
      toolTenants: null,
      auditSigningKey: null,
      allowPrivateAddresses: false,
    });
  });

  it('warns of variables that are not known', () => {
    const env = {
      JAMJET_TOKENS: 'secret',
      JAMJET_FOO: '1',
      JAMJET_LOG: 'info',
      OTHER: '1',
      JAMJET_REGION: 'eu',
      JAMJET_KEY: 'k',
    };
    const handedOn = { JAMJET_WORKFLOW_ENV: 'JAMJET_REGION,acme:X', JAMJET_MODELS: '{"m": {"api_key_env": "JAMJET_KEY"}}' };
    expect(unknownVariables({ ...env, ...handedOn })).toEqual([
      'JAMJET_FOO is not known',
      'JAMJET_TOKENS is not known; did you mean JAMJET_TOKEN?',
    ]);
  });

  it('knows every variable of the documentation', () => {
    const page = ['configure', 'run', 'scale', 'models'].map((name) => readFileSync(`docs/${name}.md`, 'utf8')).join('');
    const documented = new Set(page.replaceAll('JAMJET_TOKENS', '').match(/\bJAMJET_[A-Z_]+\b/g));
    expect(unknownVariables(Object.fromEntries([...documented].map((name) => [name, '1'])))).toEqual([]);
  });

  it('is frozen', () => {
    const config = readConfig({});
    expect([config, config.database].every(Object.isFrozen)).toBe(true);
  });

  it('counts an empty variable as absent', () => {
    const { operatorFile, ...config } = readConfig({ JAMJET_PORT: '', JAMJET_TOKEN: ' ', DATABASE_URL: '', JAMJET_CONFIG: '' });
    expect(config).toEqual({ ...readConfig({}), operatorFile: undefined });
    expect(operatorFile).toMatchObject({ path: 'jamjet.toml', isRequired: false });
  });

  it.each([
    ['data/run.db', 'data/run.db'],
    ['/var/lib/run.db', '/var/lib/run.db'],
    ['C:\\data\\run.db', 'C:\\data\\run.db'],
    ['sqlite:data/run.db', 'data/run.db'],
    ['sqlite://.jamjet/runtime.db', '.jamjet/runtime.db'],
    ['sqlite:///var/lib/run.db', '/var/lib/run.db'],
    ['SQLITE://run.db?mode=rwc', 'run.db'],
    ['sqlite://my%20runs.db', 'my runs.db'],
  ])('reads DATABASE_URL %s', (text, path) => {
    expect(readConfig({ DATABASE_URL: text }).database).toEqual({ engine: 'sqlite', path });
  });

  it.each([
    ['postgres://u:secret@host', /names no database/],
    ['postgres://u:secret@host:port/db', /must be postgres:\/\//],
    ['postgres://u:secret@host/db?sslmode=perhaps', /sslmode must be one of/],
    ['postgres://u:secret@host/db?sslrootcert=/ca.crt', /sslrootcert needs sslmode/],
    ['postgres://u:secret@host/db?sslmode=require&sslcert=/c.crt', /sslcert and sslkey must be set together/],
    ['postgres://u:secret@host/db?sslmode=require&sslcrl=/crl', /sslcrl is not supported/],
    ['postgres://u:secret@host/db?sslmode=require&sslrootcert=system', /sslrootcert=system needs sslmode=verify-full/],
    ['postgres://u:secret@host/db?sslmode=prefer&sslnegotiation=direct', /direct needs sslmode=require/],
    ['postgres://u:secret@host/db?ssl=maybe', /ssl must be true/],
    ['postgres://u:secret@host/db?sslmode=verify-ca', /needs sslrootcert/],
    ['mysql://u:secret@host/db', /unknown database scheme "mysql:"/],
    ['sqlite::memory:', /is not durable/],
    [':memory:', /is not durable/],
    ['sqlite://run.db?mode=ro', /mode=ro is not supported/],
    ['sqlite://', /names no database file/],
    ['sqlite://%zz', /percent escape/],
    ['data/', /names no database file/],
  ])('refuses DATABASE_URL %s', (text, problem) => {
    expect(problemOf({ DATABASE_URL: text })).toMatch(problem);
    expect(problemOf({ DATABASE_URL: text })).not.toContain('secret');
  });

  it('reads the URL of PostgreSQL, with TLS as in libpq', () => {
    const defaults = { engine: 'postgres', listenUrl: null, poolSize: 10, statementTimeoutMs: 30_000 };
    for (const url of ['postgres://u:secret@host:5433/db', 'postgresql:///db?host=/run/postgresql'])
      expect(readConfig({ DATABASE_URL: url }).database).toEqual({ ...defaults, url });
    const env = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca.crt', PGSSLCERT: '' };
    for (const [url, completed] of [
      ['postgres://host/db?sslmode=require', 'postgres://host/db?sslmode=require&sslrootcert=%2Fca.crt'],
      ['postgres://host/db', 'postgres://host/db?sslmode=verify-full&sslrootcert=%2Fca.crt'],
    ]) {
      expect(readConfig({ DATABASE_URL: url }).database).toEqual({ ...defaults, url });
      expect(readConfig({ ...env, DATABASE_URL: url }).database).toEqual({ ...defaults, url: completed });
    }
    const more = {
      DATABASE_URL: 'postgres://pooler/db',
      JAMJET_DATABASE_LISTEN_URL: 'postgres://host/db',
      JAMJET_DATABASE_POOL_SIZE: '3',
      JAMJET_DATABASE_STATEMENT_TIMEOUT_MS: '5000',
    };
    expect(readConfig(more).database).toEqual({
      engine: 'postgres',
      url: 'postgres://pooler/db',
      listenUrl: 'postgres://host/db',
      poolSize: 3,
      statementTimeoutMs: 5_000,
    });
  });

  it('names a database without its secrets', () => {
    const named = (url: string) => databaseName(readConfig({ DATABASE_URL: url }).database);
    expect(named('postgres://u:secret@host/db?sslmode=require')).toBe('postgres://u@host/db?sslmode=require');
    expect(named('postgres://host/db?user=u&password=secret')).toBe('postgres://host/db?user=u');
    const locked = 'sslmode=require&sslcert=/c.crt&sslkey=/c.key';
    expect(named(`postgres://host/db?${locked}&sslpassword=secret`)).toBe(
      'postgres://host/db?sslmode=require&sslcert=%2Fc.crt&sslkey=%2Fc.key',
    );
    expect(named('data/run.db')).toBe('data/run.db');
  });

  it.each([
    [{ RUST_LOG: 'debug' }, 'debug'],
    [{ RUST_LOG: 'WARN' }, 'warn'],
    [{ RUST_LOG: 'off' }, 'silent'],
    [{ RUST_LOG: 'warn,foo=debug' }, 'warn'],
    [{ RUST_LOG: 'foo=debug, error' }, 'error'],
    [{ RUST_LOG: 'warn,jamjet_runtime=trace' }, 'trace'],
    [{ RUST_LOG: 'hyper' }, 'info'],
    [{ RUST_LOG: 'hyper=debug' }, 'info'],
    [{ RUST_LOG: 'warn', JAMJET_LOG: 'debug' }, 'debug'],
    [{ JAMJET_LOG: 'error' }, 'error'],
  ])('reads the log level from %o', (env, level) => {
    expect(readConfig(env).logLevel).toBe(level);
  });

  it('shows workflows only the variables that are named', () => {
    const named = 'REGION, *:STAGE ABSENT acme:REGION acme:KEY';
    const { workflowVars } = readConfig({ JAMJET_WORKFLOW_ENV: named, REGION: 'eu', STAGE: 'test', KEY: 'k', SECRET: 'x' });
    expect(varsOf(workflowVars, 'default')).toEqual({ REGION: 'eu', STAGE: 'test' });
    expect(varsOf(workflowVars, 'acme')).toEqual({ REGION: 'eu', STAGE: 'test', KEY: 'k' });
    expect(varsOf(workflowVars, 'other')).toEqual({ STAGE: 'test' });
    expect(varsOf(readConfig({}).workflowVars, 'default')).toEqual({});
  });

  it('gives tenants their tools', () => {
    const tools = { pay: () => 1, ask: () => 2, mail: () => 3 };
    const of = (text: string, tenant: string) =>
      Object.keys(toolsOf(tools, readConfig({ JAMJET_TOOL_TENANTS: text }).toolTenants, tenant));
    expect(of('', 'acme')).toEqual(['pay', 'ask', 'mail']);
    expect(of('pay=default,acme;*=*', 'acme')).toEqual(['pay', 'ask', 'mail']);
    expect(of('pay=default,acme;*=*', 'other')).toEqual(['ask', 'mail']);
    expect(of('pay = acme ; mail = *;', 'other')).toEqual(['mail']);
    expect(of('*=default', 'other')).toEqual([]);
    const { toolTenants } = readConfig({ JAMJET_TOOL_TENANTS: 'pya=acme;*=*;mail=x' });
    expect(missingTools(tools, toolTenants)).toEqual(['pya']);
  });

  it.each([
    [{ JAMJET_PORT: '0' }, { port: 0 }],
    [{ JAMJET_BIND: '[::1]' }, { bind: '::1' }],
    [{ JAMJET_BIND: '0.0.0.0' }, { bind: '0.0.0.0' }],
    [{ JAMJET_URL: 'http://host:1/' }, { serverUrl: 'http://host:1' }],
    [{ JAMJET_PUBLIC_URL: 'https://flows.example' }, { publicUrl: 'https://flows.example' }],
    [{ JAMJET_DEV_MODE: 'true' }, { devMode: true }],
    [{ JAMJET_DEV_MODE: '0' }, { devMode: false }],
    [{ JAMJET_EVENT_FORMAT: 'tagged' }, { eventFormat: 'tagged' }],
    [{ JAMJET_STEP_LIMIT: '5' }, { stepLimit: 5 }],
    [{ JAMJET_ARTIFACT_THRESHOLD_BYTES: '0' }, { artifactThresholdBytes: 0 }],
    [{ JAMJET_TOKEN: 'jj_abc' }, { token: 'jj_abc' }],
    [{ JAMJET_AUDIT_SIGNING_KEY: 'key' }, { auditSigningKey: 'key' }],
    [{ JAMJET_ALLOW_PRIVATE_ADDRESSES: '1' }, { allowPrivateAddresses: true }],
  ])('reads %o', (env, expected) => {
    expect(readConfig(env)).toMatchObject(expected);
  });

  it.each([
    ['JAMJET_DATABASE_POOL_SIZE', '0'],
    ['JAMJET_DATABASE_STATEMENT_TIMEOUT_MS', '99'],
    ['JAMJET_DATABASE_LISTEN_URL', 'http://host/db'],
    ['JAMJET_PORT', '77x0'],
    ['JAMJET_PORT', '65536'],
    ['JAMJET_PORT', '-1'],
    ['JAMJET_BIND', 'not a host'],
    ['JAMJET_URL', 'localhost:7700'],
    ['JAMJET_PUBLIC_URL', 'ftp://host'],
    ['JAMJET_DEV_MODE', 'maybe'],
    ['JAMJET_EVENT_FORMAT', 'xml'],
    ['JAMJET_STEP_LIMIT', '0'],
    ['JAMJET_ARTIFACT_THRESHOLD_BYTES', '8k'],
    ['JAMJET_STEP_LIMIT', '1e9'],
    ['JAMJET_LOG', 'loud'],
    ['RUST_LOG', 'a=b=c'],
    ['RUST_LOG', 'hyper=loud'],
    ['JAMJET_WORKFLOW_ENV', 'A-B'],
    ['JAMJET_WORKFLOW_ENV', 'acme:'],
    ['JAMJET_WORKFLOW_ENV', ':A'],
    ['JAMJET_WORKFLOW_ENV', 'no tenant!:A'],
    ['JAMJET_WORKFLOW_ENV', 'a:b:C'],
    ['JAMJET_TOOL_TENANTS', 'pay'],
    ['JAMJET_TOOL_TENANTS', 'pay='],
    ['JAMJET_TOOL_TENANTS', 'pay=a=b'],
    ['JAMJET_TOOL_TENANTS', 'pay=a;pay=b'],
    ['JAMJET_TOOL_TENANTS', 'pay=../x'],
    ['JAMJET_ALLOW_PRIVATE_ADDRESSES', '2'],
  ])('refuses %s=%s in one line that names it', (name, text) => {
    const problem = problemOf({ [name]: text });
    expect(problem).toMatch(new RegExp(`^${name}: .+`));
    expect(problem.split('\n')).toHaveLength(1);
  });

  it('does not repeat a bad token', () => {
    expect(problemOf({ JAMJET_TOKEN: 'jj_secret with space' })).not.toContain('secret');
  });

  it('reports every problem at once', () => {
    expect(problemOf({ JAMJET_PORT: 'x', JAMJET_DEV_MODE: 'y' }).split('\n')).toHaveLength(2);
  });

  it('knows the version of the packages and of the changelog', () => {
    const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const packages = ['package.json', 'package-lock.json', 'console/package.json'].map(
      (path) => (JSON.parse(textOf(path)) as { version: string }).version,
    );
    const [, changelog] = /^## (\S+)/m.exec(textOf('CHANGELOG.md')) ?? [];
    expect(new Set([...packages, changelog])).toEqual(new Set([VERSION]));
  });
});

describe('the URL of an address', () => {
  it('puts an IPv6 address in brackets', () => {
    expect([urlOf('127.0.0.1', 80), urlOf('::1', 7700)]).toEqual(['http://127.0.0.1:80', 'http://[::1]:7700']);
  });
});
