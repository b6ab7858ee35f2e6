import type { RemoteAgentAuth } from '../../../machines/ir/remote-agents.ts';
import { isObject, type Json } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';
import { invalid } from '../http-content.ts';
import type { Outbound } from '../outbound/index.ts';

/** A token is not used for the last part of its life, since a request takes time. */
const EXPIRY_MARGIN_MS = 30_000;
/** Life of a token whose issuer does not say it. */
const DEFAULT_LIFE_MS = 300_000;
const MAX_TOKENS = 1_000;

export interface Credential {
  /** Headers that are sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in errors. */
  readonly secrets: readonly string[];
}

export const NO_CREDENTIAL: Credential = { headers: {}, secrets: [] };

interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** The credentials of remote agents, and the OAuth tokens that they are exchanged for. */
export class Credentials {
  readonly #outbound: Outbound;
  readonly #nowMs: () => number;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(outbound: Outbound, nowMs: () => number) {
    this.#outbound = outbound;
    this.#nowMs = nowMs;
  }

  /** Rejects with `WorkError`: `validation` if a variable is not given to the tenant. */
  async of(
    agent: string,
    auth: RemoteAgentAuth | undefined,
    vars: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Credential> {
    if (auth === undefined) return NO_CREDENTIAL;
    const variable = (name: string): string => {
      const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
      if (value !== undefined) return value;
      throw invalid(`agent "${agent}" needs the variable ${name}, which JAMJET_WORKFLOW_ENV does not give to this tenant`);
    };
    if (auth.type === 'api_key') {
      const key = variable(auth.key_env);
      return { headers: { [auth.header.toLowerCase()]: key }, secrets: [key] };
    }
    if (auth.type === 'bearer') return bearer(variable(auth.token_env), []);
    const client = { id: variable(auth.client_id_env), secret: variable(auth.client_secret_env) };
    const { value } = await this.#token(agent, auth.token_url, client, auth.scope, signal);
    return bearer(value, [client.secret]);
  }

  /** Drops the tokens of an issuer that have been refused. */
  forget(tokenUrl: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(JSON.stringify([tokenUrl]).slice(0, -1))) this.#tokens.delete(key);
  }

  async #token(
    agent: string,
    url: string,
    client: { readonly id: string; readonly secret: string },
    scope: string | undefined,
    signal: AbortSignal,
  ): Promise<Token> {
    const key = JSON.stringify([url, client.id, client.secret, scope ?? '']);
    const known = await this.#tokens.get(key)?.catch(() => null);
    if (known != null && known.expiresAtMs > this.#nowMs()) return known;
    const issued = this.#issue(agent, url, client, scope, signal);
    this.#tokens.delete(key);
    this.#tokens.set(key, issued);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    issued.catch(() => {
      if (this.#tokens.get(key) === issued) this.#tokens.delete(key);
    });
    return issued;
  }

  async #issue(
    agent: string,
    url: string,
    client: { readonly id: string; readonly secret: string },
    scope: string | undefined,
    signal: AbortSignal,
  ): Promise<Token> {
    requireHttps(url, this.#outbound);
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
    const basic = Buffer.from(`${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`).toString('base64');
    const { text } = await this.#outbound.request({
      url,
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Basic ${basic}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: form.toString(),
      signal,
      secrets: [basic, client.secret],
    });
    const { access_token, expires_in } = parsed(text);
    if (typeof access_token !== 'string' || access_token === '')
      throw new WorkError(`the token URL of agent "${agent}" gave no access_token`, {
        retryable: true,
        errorClass: 'invalid_response',
      });
    const lifeMs = typeof expires_in === 'number' && expires_in > 0 ? expires_in * 1000 : DEFAULT_LIFE_MS;
    return { value: access_token, expiresAtMs: this.#nowMs() + Math.max(lifeMs - EXPIRY_MARGIN_MS, 0) };
  }
}

/** Throws `WorkError` `validation` for an address without TLS, unless private addresses are allowed. */
export function requireHttps(url: string, outbound: Outbound): void {
  if (/^https:/i.test(url) || outbound.allowsPrivateAddresses) return;
  const shown = URL.canParse(url) ? new URL(url).origin : 'the address';
  throw invalid(`${shown} is not https, which agents need; JAMJET_ALLOW_PRIVATE_ADDRESSES allows http`);
}

function bearer(token: string, secrets: readonly string[]): Credential {
  return { headers: { authorization: `Bearer ${token}` }, secrets: [token, ...secrets] };
}

function parsed(text: string): Readonly<Record<string, Json>> {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
