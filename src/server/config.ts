import { closest } from '../../machines/suggest.ts';
import type { ModelSettings } from '../executors/model/settings.ts';
import { DEFAULTS } from '../runtime/options.ts';
import { BASE_URL_VARIABLES, modelPrices, namedModels, providersOf } from './model-settings.ts';
import { InvalidValue, type TenantVars, type ToolTenants, tenantVars, toolTenants } from './tenant-grants.ts';
import { type TracingChoice, tracingOf } from './tracing-settings.ts';

/** The version shown by `GET /health` and `jamjet --version`. Equal to package.json's, as a test checks. */
export const VERSION = '0.2.0';

/** The least serious lines that are logged. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
/** The form of events in replies. */
export type EventFormat = 'seed' | 'tagged';

/** A SQLite database. */
export interface SqliteConfig {
  readonly engine: 'sqlite';
  readonly path: string;
}

/** A PostgreSQL database. */
export interface PostgresConfig {
  readonly engine: 'postgres';
  /** Contains user, password and TLS parameters; use `databaseName` for display. */
  readonly url: string;
  /** Direct URL for LISTEN/NOTIFY if `url` points to a pooler; null = use `url`. */
  readonly listenUrl: string | null;
  /** Pooled connections of this process, besides the one that writes and the one that listens. */
  readonly poolSize: number;
  /** 0 = never. */
  readonly statementTimeoutMs: number;
}

/** The database of a server. */
export type DatabaseConfig = SqliteConfig | PostgresConfig;

/** The file with settings that are too large for a variable. */
export interface OperatorFile {
  readonly path: string;
  /** False: nothing is set when there is no such file. */
  readonly isRequired: boolean;
  readonly env: Environment;
}

/** How `GET /metrics` is guarded, and what it shows. */
export interface MetricsConfig {
  /** Scrapers must send it; null = none is needed. */
  readonly token: string | null;
  /** A port that serves the metrics and nothing else; null = the port of the API does. */
  readonly port: number | null;
  /** Whether metrics have the label `tenant`. */
  readonly tenantLabel: boolean;
}

/** The configuration from the environment, validated once at start. */
export interface Config {
  readonly bind: string;
  readonly port: number;
  /** Null = derived from the address that the server listens on. */
  readonly publicUrl: string | null;
  readonly database: DatabaseConfig;
  /** For clients: the token to send to a server. */
  readonly token: string | null;
  /** For clients: URL of the server, without a trailing slash. */
  readonly serverUrl: string | null;
  readonly logLevel: LogLevel;
  /** How long a server goes on serving after a stop signal, while it says that it is not ready. */
  readonly shutdownDelayMs: number;
  /** Disables authentication; every request belongs to tenant `default`. */
  readonly devMode: boolean;
  /** Requests that add work are refused when others wait for longer; infinite = never. */
  readonly maxWaitMs: number;
  /** Default form of `kind` in `GET /executions/:id/events`. */
  readonly eventFormat: EventFormat;
  /** Number of node completions after which an execution fails. */
  readonly stepLimit: number;
  /** Node outputs with more JSON than this are stored as artifacts beside the log; 0 = none are. */
  readonly artifactThresholdBytes: number;
  /** Variables for `env` in expressions, by tenant: those named by JAMJET_WORKFLOW_ENV that are set. */
  readonly workflowVars: TenantVars;
  /** The in-process tools of each tenant. */
  readonly toolTenants: ToolTenants;
  readonly auditSigningKey: string | null;
  /** 32 bytes that seal secrets in the database; null = they are kept in memory. */
  readonly secretKey: Buffer | null;
  /** Base URL of a coordinator server; null = the runtime selects agents itself. */
  readonly coordinatorUrl: string | null;
  /** Keys, addresses and names of the models that `model` nodes use. */
  readonly models: ModelSettings;
  /** File with answers for every model, in the place of providers; null = providers are asked. */
  readonly modelScript: string | null;
  /** Allows requests to loopback and private addresses. */
  readonly allowPrivateAddresses: boolean;
  readonly metrics: MetricsConfig;
  /** Where spans go, by the variables of OpenTelemetry; null = nowhere. Problems prevent the start of what would send them. */
  readonly tracing: TracingChoice;
  /** The file with the settings that are too large for variables, and the variables that it may refer to. */
  readonly operatorFile: OperatorFile;
}

/** Variables of the environment, by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** All variables of our own. A variable that `readConfig` reads and this list lacks does not compile. */
const VARIABLES = [
  'JAMJET_ALLOW_PRIVATE_ADDRESSES',
  'JAMJET_ARTIFACT_THRESHOLD_BYTES',
  'JAMJET_AUDIT_SIGNING_KEY',
  'JAMJET_BIND',
  'JAMJET_CONFIG',
  'JAMJET_COORDINATOR_URL',
  'JAMJET_DATABASE_LISTEN_URL',
  'JAMJET_DATABASE_POOL_SIZE',
  'JAMJET_DATABASE_STATEMENT_TIMEOUT_MS',
  'JAMJET_DEV_MODE',
  'JAMJET_EVENT_FORMAT',
  'JAMJET_LOG',
  'JAMJET_MAX_WAIT_MS',
  'JAMJET_METRICS_PORT',
  'JAMJET_METRICS_TENANTS',
  'JAMJET_METRICS_TOKEN',
  'JAMJET_MODELS',
  'JAMJET_MODEL_PRICES',
  'JAMJET_MODEL_SCRIPT',
  'JAMJET_MODEL_SEAM_URL',
  'JAMJET_PORT',
  'JAMJET_PUBLIC_URL',
  'JAMJET_SECRET_KEY',
  'JAMJET_SHUTDOWN_DELAY_MS',
  'JAMJET_STEP_LIMIT',
  'JAMJET_TOKEN',
  'JAMJET_TOOL_TENANTS',
  'JAMJET_URL',
  'JAMJET_WORKFLOW_ENV',
] as const;
const PREFIX = 'JAMJET_';
const WORDS = VARIABLES.map((name) => name.slice(PREFIX.length));
type Variable = (typeof VARIABLES)[number] | 'DATABASE_URL' | 'RUST_LOG';

/**
 * A line for each variable that begins with `JAMJET_` and is none of ours: `JAMJET_TOKENS is not known; did you mean JAMJET_TOKEN?`.
 * Variables that are handed on to workflows, models or MCP servers may have any name.
 */
export function unknownVariables(env: Environment): readonly string[] {
  const handedOn = [env.JAMJET_WORKFLOW_ENV, env.JAMJET_MODELS].join(' ').split(/\W+/);
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !VARIABLES.includes(name as never) && !handedOn.includes(name),
  );
  return unknown.sort().map((name) => {
    const similar = closest(name.slice(PREFIX.length), WORDS);
    return `${name} is not known${similar === null ? '' : `; did you mean ${PREFIX}${similar}?`}`;
  });
}

/** One line per bad variable, each naming it. */
export class ConfigError extends Error {
  readonly code = 'bad_config';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

const DEFAULT_OPERATOR_FILE = 'jamjet.toml';
const DEFAULT_DATABASE = '.jamjet/runtime.db';
const MAX_STEP_LIMIT = 1_000_000_000;
const MAX_ARTIFACT_THRESHOLD_BYTES = 1_000_000_000;

const DEFAULT_MAX_WAIT_MS = 500;
const MAX_SHUTDOWN_DELAY_MS = 600_000;

const DEFAULT_POOL_SIZE = 10;
const MAX_POOL_SIZE = 1_000;
const DEFAULT_STATEMENT_TIMEOUT_MS = 30_000;
const MAX_STATEMENT_TIMEOUT_MS = 3_600_000;
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
const SSL_PARAMETERS = ['sslmode', 'sslnegotiation', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword'];
/** Variables of libpq that apply when the URL lacks the parameter. Not the key's password, which would be shown with the URL. */
const SSL_VARIABLES = ['PGSSLMODE', 'PGSSLNEGOTIATION', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY'];

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  off: 'silent',
  silent: 'silent',
};

/**
 * Reads and validates the whole configuration. An empty variable counts as absent. Throws `ConfigError` with all problems found.
 */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];

  function read<T>(name: Variable, fallback: T, parse: (text: string) => T): T {
    const text = env[name]?.trim();
    if (text === undefined || text === '') return fallback;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      problems.push(`${name}: ${error.message}`);
      return fallback;
    }
  }

  const postgres = {
    listenUrl: read('JAMJET_DATABASE_LISTEN_URL', null, (text) => postgresUrl(text, env)),
    poolSize: read('JAMJET_DATABASE_POOL_SIZE', DEFAULT_POOL_SIZE, (text) => integer(text, 1, MAX_POOL_SIZE)),
    statementTimeoutMs: read('JAMJET_DATABASE_STATEMENT_TIMEOUT_MS', DEFAULT_STATEMENT_TIMEOUT_MS, (text) =>
      integer(text, 100, MAX_STATEMENT_TIMEOUT_MS),
    ),
  };
  for (const name of BASE_URL_VARIABLES) read(name as Variable, null, httpUrl);
  const sidecarUrl = read<string | null>('JAMJET_MODEL_SEAM_URL', null, httpUrl);
  const models: ModelSettings = {
    providers: providersOf(env),
    names: read('JAMJET_MODELS', {}, (text) => namedModels(text, env)),
    prices: read('JAMJET_MODEL_PRICES', {}, modelPrices),
    ...(sidecarUrl === null ? {} : { sidecarUrl }),
  };
  const config: Config = {
    bind: read('JAMJET_BIND', '127.0.0.1', bindAddress),
    port: read('JAMJET_PORT', 7700, (text) => integer(text, 0, 65_535)),
    publicUrl: read('JAMJET_PUBLIC_URL', null, httpUrl),
    database: read<DatabaseConfig>('DATABASE_URL', { engine: 'sqlite', path: DEFAULT_DATABASE }, (text) =>
      databaseOf(text, postgres, env),
    ),
    token: read('JAMJET_TOKEN', null, token),
    serverUrl: read('JAMJET_URL', null, httpUrl),
    logLevel: read(
      'JAMJET_LOG',
      read('RUST_LOG', 'info', (text) => logLevel(text, true)),
      (text) => logLevel(text, false),
    ),
    shutdownDelayMs: read('JAMJET_SHUTDOWN_DELAY_MS', 0, (text) => integer(text, 0, MAX_SHUTDOWN_DELAY_MS)),
    maxWaitMs: read('JAMJET_MAX_WAIT_MS', DEFAULT_MAX_WAIT_MS, maxWait),
    devMode: read('JAMJET_DEV_MODE', false, flag),
    eventFormat: read('JAMJET_EVENT_FORMAT', 'seed', eventFormat),
    stepLimit: read('JAMJET_STEP_LIMIT', DEFAULTS.stepLimit, (text) => integer(text, 1, MAX_STEP_LIMIT)),
    artifactThresholdBytes: read('JAMJET_ARTIFACT_THRESHOLD_BYTES', DEFAULTS.artifactThresholdBytes, (text) =>
      integer(text, 0, MAX_ARTIFACT_THRESHOLD_BYTES),
    ),
    workflowVars: read<TenantVars>('JAMJET_WORKFLOW_ENV', new Map(), (text) => tenantVars(text, env)),
    toolTenants: read<ToolTenants>('JAMJET_TOOL_TENANTS', null, toolTenants),
    auditSigningKey: read('JAMJET_AUDIT_SIGNING_KEY', null, (text) => text),
    secretKey: read('JAMJET_SECRET_KEY', null, secretKey),
    coordinatorUrl: read<string | null>('JAMJET_COORDINATOR_URL', null, httpUrl),
    models,
    modelScript: read('JAMJET_MODEL_SCRIPT', null, (path) => path),
    allowPrivateAddresses: read('JAMJET_ALLOW_PRIVATE_ADDRESSES', false, flag),
    tracing: tracingOf(env),
    metrics: {
      token: read('JAMJET_METRICS_TOKEN', null, token),
      port: read('JAMJET_METRICS_PORT', null, (text) => integer(text, 0, 65_535)),
      tenantLabel: read('JAMJET_METRICS_TENANTS', false, flag),
    },
    operatorFile: read<OperatorFile>('JAMJET_CONFIG', { path: DEFAULT_OPERATOR_FILE, isRequired: false, env }, (path) => ({
      path,
      isRequired: true,
      env,
    })),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  Object.freeze(config.database);
  return Object.freeze(config);
}

/** `http://host:port`, with brackets around an IPv6 address. */
export function urlOf(bind: string, port: number): string {
  return `http://${bind.includes(':') ? `[${bind}]` : bind}:${port}`;
}

function integer(text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new InvalidValue(`must be a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

/** 0 = requests may wait for any time. */
function maxWait(text: string): number {
  const ms = integer(text, 0, 600_000);
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

function flag(text: string): boolean {
  const value = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  if (['0', 'false', 'no', 'off'].includes(value)) return false;
  throw new InvalidValue(`must be 1 or 0, not "${text}"`);
}

function bindAddress(text: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  if (!/^[\w.:%-]+$/.test(address)) throw new InvalidValue(`must be an address or a host name, not "${text}"`);
  return address;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InvalidValue(`must be an http:// or https:// URL, not "${text}"`);
  return text.replace(/\/+$/, '');
}

/** The error does not repeat the value, which is a secret. */
function token(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new InvalidValue('must be one token without spaces or control characters');
  return text;
}

/** The error does not repeat the value. */
function secretKey(text: string): Buffer {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length === 32 && (text.length === 64 || /^[\w+/-]{43}=?$/.test(text))) return key;
  throw new InvalidValue('must be 32 bytes, as 64 hex digits or in base64: openssl rand -hex 32');
}

function eventFormat(text: string): EventFormat {
  const value = text.toLowerCase();
  if (value !== 'seed' && value !== 'tagged') throw new InvalidValue(`must be seed or tagged, not "${text}"`);
  return value;
}

/**
 * Parses a level, or comma-separated directives as Rust programs take them (`warn,hyper=debug`), of which the one for `jamjet…` or else the
 * one without a target applies. `lenient` (RUST_LOG, which other programs share): an unknown word is a target, not an error.
 */
function logLevel(text: string, lenient: boolean): LogLevel {
  let general: LogLevel | undefined;
  let ours: LogLevel | undefined;
  for (const directive of text.split(',').map((part) => part.trim())) {
    if (directive === '') continue;
    const [target = '', level, ...rest] = directive.split('=');
    const named = LEVELS[(level ?? target).toLowerCase()];
    if (rest.length > 0 || (named === undefined && (level !== undefined || !lenient)))
      throw new InvalidValue(`must be one of trace, debug, info, warn, error, off (or target=level directives), not "${text}"`);
    if (level === undefined) general = named ?? general;
    else if (target.startsWith('jamjet')) ours = named;
  }
  return ours ?? general ?? 'info';
}

/** Parses a path, `sqlite:PATH` or `sqlite://PATH` as SQLx writes it (percent-encoded, `?mode=rwc`), or `postgres://…`, `postgresql://…`. */
function databaseOf(text: string, postgres: Omit<PostgresConfig, 'engine' | 'url'>, env: Environment): DatabaseConfig {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'postgres' || scheme === 'postgresql') return { engine: 'postgres', url: postgresUrl(text, env), ...postgres };
  if (scheme !== undefined && scheme !== 'sqlite')
    throw new InvalidValue(`unknown database scheme "${scheme}:"; use a path, sqlite://PATH or postgres://…`);
  const path = scheme === undefined ? text : sqlitePath(text.replace(/^sqlite:(\/\/)?/i, ''));
  if (path === ':memory:') throw new InvalidValue('an in-memory database is not durable; name a file');
  if (path === '' || path.includes('\0') || path.endsWith('/')) throw new InvalidValue(`names no database file: "${text}"`);
  return { engine: 'sqlite', path };
}

/** The error does not repeat the value, which may contain a password. */
function postgresUrl(text: string, env: Environment): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw new InvalidValue('must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, its parts percent-encoded');
  if (url.pathname.length < 2) throw new InvalidValue('names no database: postgres://HOST/DATABASE');
  const missing = SSL_VARIABLES.filter((name) => env[name] && !url.searchParams.has(parameterOf(name)));
  for (const name of missing) url.searchParams.set(parameterOf(name), env[name] ?? '');
  checkTls(url.searchParams);
  return missing.length === 0 ? text : url.href;
}

/** `PGSSLMODE` → `sslmode` */
function parameterOf(variable: string): string {
  return variable.slice('PG'.length).toLowerCase();
}

/** Refuses TLS parameters that libpq has and this client ignores, so that no configuration relies on them. */
function checkTls(parameters: URLSearchParams): void {
  for (const name of parameters.keys())
    if (/^ssl./.test(name) && !SSL_PARAMETERS.includes(name))
      throw new InvalidValue(`${name} is not supported; use ${SSL_PARAMETERS.join(', ')}`);
  if (![null, 'true'].includes(parameters.get('ssl'))) throw new InvalidValue('ssl must be true; use sslmode for other modes');
  const first = SSL_PARAMETERS.find((name) => parameters.has(name));
  if (first !== undefined && !parameters.has('sslmode') && !parameters.has('ssl'))
    throw new InvalidValue(`${first} needs sslmode: without it the connection is not encrypted`);
  const mode = parameters.get('sslmode') ?? (parameters.has('ssl') ? 'require' : 'disable');
  const [root, negotiation] = [parameters.get('sslrootcert'), parameters.get('sslnegotiation')];
  if (!SSL_MODES.includes(mode)) throw new InvalidValue(`sslmode must be one of ${SSL_MODES.join(', ')}, not "${mode}"`);
  if (mode === 'verify-ca' && root === null)
    throw new InvalidValue('sslmode=verify-ca needs sslrootcert, the certificate file of the trusted authority');
  if (root === 'system' && mode !== 'verify-full')
    throw new InvalidValue('sslrootcert=system needs sslmode=verify-full: anyone can get a certificate from a public authority');
  if (parameters.has('sslcert') !== parameters.has('sslkey')) throw new InvalidValue('sslcert and sslkey must be set together');
  if (![null, 'postgres', 'direct'].includes(negotiation))
    throw new InvalidValue(`sslnegotiation must be postgres or direct, not "${negotiation}"`);
  if (negotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(mode))
    throw new InvalidValue('sslnegotiation=direct needs sslmode=require or stricter');
}

/** The file beside which files that belong to a database are stored; for PostgreSQL, the default path of an SQLite file. */
export function fileOf(database: DatabaseConfig): string {
  return database.engine === 'sqlite' ? database.path : DEFAULT_DATABASE;
}

/** The database for display: its path, or its URL without passwords. */
export function databaseName(database: DatabaseConfig): string {
  if (database.engine === 'sqlite') return database.path;
  const url = new URL(database.url);
  url.password = '';
  for (const name of ['password', 'sslpassword']) url.searchParams.delete(name);
  return url.href;
}

function sqlitePath(rest: string): string {
  const [encoded = '', query = ''] = rest.split('?', 2);
  const mode = new URLSearchParams(query).get('mode');
  if (mode !== null && mode !== 'rwc' && mode !== 'rw')
    throw new InvalidValue(`mode=${mode} is not supported; the runtime needs to read and write`);
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new InvalidValue(`has a malformed percent escape: "${encoded}"`);
  }
}
