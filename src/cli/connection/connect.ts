import { isObject } from '../../../machines/json.ts';
import { ApiError, JamjetClient, Unreachable } from '../../client/index.ts';
import { type Config, fileOf, readConfig } from '../../config.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readSavedToken } from './saved-token.ts';

const DEFAULT_PORT = 7700;
export const DEFAULT_URL = `http://localhost:${DEFAULT_PORT}`;

export interface Connection {
  readonly client: JamjetClient;
  readonly url: string;
  /** Named by `--runtime` or JAMJET_URL, rather than the default. */
  readonly explicit: boolean;
  /** Where the token came from; null when there is none. */
  readonly tokenSource: string | null;
}

/**
 * The server that `--runtime`, JAMJET_URL or the default names, and the token of JAMJET_TOKEN or of the file `jamjet dev` saved.
 * The saved token stays on this machine: it is sent to loopback addresses only.
 */
export async function connect(runtime: string | undefined, context: Pick<Context, 'env' | 'cwd'>): Promise<Connection> {
  const config = readConfig(context.env);
  const url = runtime === undefined ? configuredUrl(config) : runtimeUrl(runtime);
  const chosen = runtime !== undefined || config.serverUrl !== null;
  if (config.token !== null)
    return { client: new JamjetClient({ url, token: config.token }), url, explicit: chosen, tokenSource: 'JAMJET_TOKEN' };
  const saved = isLoopback(url) ? await readSavedToken(fileOf(config.database), context.cwd) : null;
  return {
    client: new JamjetClient({ url, token: saved?.token ?? null }),
    url,
    explicit: chosen,
    tokenSource: saved?.file ?? null,
  };
}

/** Where a command looks that names no runtime. JAMJET_PORT moves the server of this machine, so it moves where its clients look. */
export function configuredUrl({ serverUrl, port }: Pick<Config, 'serverUrl' | 'port'>): string {
  return serverUrl ?? `http://localhost:${port || DEFAULT_PORT}`;
}

function runtimeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageFailure(`--runtime ${JSON.stringify(text)} is not an http:// or https:// URL`);
  return text.replace(/\/+$/, '');
}

/** `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** A client's error in the user's terms: what to start, which token to give. */
export function explainApiError(error: unknown, connection: Pick<Connection, 'url' | 'tokenSource'>): unknown {
  if (error instanceof Unreachable) {
    return new Failure(`no runtime answers at ${connection.url} (${error.message.replace(/^cannot reach \S+: /, '')})`, {
      hint: 'Start one with `jamjet dev`, or name another with --runtime URL or JAMJET_URL.',
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
  ['workflow', 'Running its file registers it: `jamjet run workflow.yaml`.'],
] as const;

function hintFor(error: ApiError, { url, tokenSource }: Pick<Connection, 'url' | 'tokenSource'>): string | null {
  if (error.code === null) return `That was ${url}: name the right one with --runtime URL or JAMJET_URL.`;
  if (error.status === 401) {
    if (tokenSource !== null) return `The token of ${tokenSource} is not valid at ${url}: set JAMJET_TOKEN to one that is.`;
    return isLoopback(url)
      ? 'Set JAMJET_TOKEN, or run this in the folder `jamjet dev` was started in (it saves a token in .jamjet/token).'
      : `Set JAMJET_TOKEN to a token of ${url}.`;
  }
  const role = requiredRole(error.body);
  if (role !== null) return `Use a token with a stronger role: \`jamjet token create --role ${role}\`.`;
  if (error.status === 404) return NOT_FOUND_HINTS.find(([what]) => error.message.startsWith(`not found: ${what} `))?.[1] ?? null;
  return null;
}

/** The least role that the refused request wants; null when that is not why it was refused. */
function requiredRole(body: unknown): string | null {
  return isObject(body) && typeof body.required === 'string' ? body.required : null;
}
