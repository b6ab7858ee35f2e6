import { isObject } from '../../../machines/json.ts';
import { ApiError, JamjetClient, Unreachable, type Warning } from '../../client/index.ts';
import { type Config, fileOf, readConfig } from '../../server/config.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import { isLoopback } from './loopback.ts';
import { readSavedToken } from './saved-token.ts';
import { readSavedUrl } from './saved-url.ts';

const DEFAULT_PORT = 7700;
export const DEFAULT_URL = `http://localhost:${DEFAULT_PORT}`;

export interface Connection {
  readonly client: JamjetClient;
  readonly url: string;
  /** Null = none. */
  readonly token: string | null;
  /** Given by `--runtime` or JAMJET_URL, not the default. */
  readonly explicit: boolean;
  /** Where the token came from, for error messages; null = no token. */
  readonly tokenSource: string | null;
  /** The file in which `jamjet dev` saved the URL; null = it came from elsewhere. */
  readonly urlSource: string | null;
}

/**
 * Connects to the server given by `--runtime` or JAMJET_URL, else to the one whose URL `jamjet dev` saved, else to the default, with the
 * token of JAMJET_TOKEN or the one that `jamjet dev` saved. The saved token is sent to loopback addresses only. `onWarning` is called for each warning of a reply.
 */
export async function connect(
  runtime: string | undefined,
  context: Pick<Context, 'env' | 'cwd'>,
  onWarning: (warning: Warning) => void = () => undefined,
): Promise<Connection> {
  const config = readConfig(context.env);
  const chosen = runtime !== undefined || config.serverUrl !== null;
  const database = fileOf(config.database);
  const savedUrl = chosen ? null : await readSavedUrl(database, context.cwd);
  const url = runtime === undefined ? (savedUrl?.url ?? configuredUrl(config)) : runtimeUrl(runtime);
  const urlSource = savedUrl?.file ?? null;
  if (config.token !== null)
    return {
      client: new JamjetClient({ url, token: config.token, onWarning }),
      url,
      token: config.token,
      explicit: chosen,
      tokenSource: 'JAMJET_TOKEN',
      urlSource,
    };
  const saved = isLoopback(url) ? await readSavedToken(database, context.cwd) : null;
  return {
    client: new JamjetClient({ url, token: saved?.token ?? null, onWarning }),
    url,
    token: saved?.token ?? null,
    explicit: chosen,
    tokenSource: saved?.file ?? null,
    urlSource,
  };
}

/** URL of the server if `--runtime` is not given. JAMJET_PORT changes the default of both the local server and its clients. */
export function configuredUrl({ serverUrl, port }: Pick<Config, 'serverUrl' | 'port'>): string {
  return serverUrl ?? `http://localhost:${port || DEFAULT_PORT}`;
}

function runtimeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageFailure(`--runtime ${JSON.stringify(text)} is not an http:// or https:// URL`);
  return text.replace(/\/+$/, '');
}

/** Converts an error of the client to a `Failure` with a hint on what to start or which token to use. */
export function explainApiError(
  error: unknown,
  connection: Pick<Connection, 'url' | 'tokenSource'> & Partial<Pick<Connection, 'urlSource'>>,
): unknown {
  if (error instanceof Unreachable) {
    return new Failure(`cannot reach a server at ${connection.url} (${error.message.replace(/^cannot reach \S+: /, '')})`, {
      hint: `${connection.urlSource == null ? '' : `${connection.urlSource} says that one listens there, but it has stopped. `}Start one with \`jamjet dev\`, or name another one with --runtime URL or JAMJET_URL.`,
      cause: error,
    });
  }
  if (!(error instanceof ApiError)) return error;
  const message = error.message.replace(/^(?:bad request|conflict): /, '');
  const hint = hintFor(error, connection);
  return new Failure(message, { cause: error, ...(hint === null ? {} : { hint }) });
}

const NOT_FOUND_HINTS = [
  ['execution', '`jamjet ls` lists the executions.'],
  ['job', '`jamjet jobs list` lists the bulk jobs.'],
  ['agent', '`jamjet agents list` lists the agents.'],
  ['tenant', '`jamjet tenants list` lists the tenants.'],
  ['cron job', '`jamjet cron list` lists the jobs.'],
  ['webhook', '`jamjet webhooks list` lists the webhooks.'],
  ['delivery', '`jamjet webhooks deliveries ID` lists the deliveries.'],
  ['workflow', '`jamjet workflows list` lists the workflows; `jamjet register FILE` registers one.'],
] as const;

function hintFor(error: ApiError, { url, tokenSource }: Pick<Connection, 'url' | 'tokenSource'>): string | null {
  if (error.code === null) return `The reply came from ${url}: name the right server with --runtime URL or JAMJET_URL.`;
  if (error.status === 401) {
    if (tokenSource !== null) return `The token from ${tokenSource} is not valid at ${url}: set JAMJET_TOKEN to a valid token.`;
    return isLoopback(url)
      ? 'Set JAMJET_TOKEN, or run the command in the folder where `jamjet dev` was started (it saves a token in .jamjet/token).'
      : `Set JAMJET_TOKEN to a token of ${url}.`;
  }
  const role = requiredRole(error.body);
  if (role !== null) return `Use a token with the role ${role}: \`jamjet token create --role ${role}\`.`;
  // The execution exists; the message says what it has instead.
  if (error.message.includes(' has no node ')) return null;
  if (error.status === 404) return NOT_FOUND_HINTS.find(([what]) => error.message.startsWith(`not found: ${what} `))?.[1] ?? null;
  return null;
}

/** The role that the rejected request requires; null if it was rejected for another reason. */
function requiredRole(body: unknown): string | null {
  return isObject(body) && typeof body.required === 'string' ? body.required : null;
}
