import type { Credential } from '../../machines/ir/credential.ts';
import { invalid } from './http-content.ts';
import { requestToken } from './oauth/token-request.ts';
import type { Outbound } from './outbound/index.ts';

/** A token is not used for the last part of its life, since a request takes time. */
const EXPIRY_MARGIN_MS = 30_000;
/** Life of a token whose issuer does not say it. */
const DEFAULT_LIFE_MS = 300_000;
const MAX_TOKENS = 1_000;

type Vars = Readonly<Record<string, string>>;

/** What is sent for a credential. */
export interface CredentialHeaders {
  /** Headers that are sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in errors. */
  readonly secrets: readonly string[];
}

export const NO_CREDENTIAL: CredentialHeaders = { headers: {}, secrets: [] };

interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** The credentials of servers and agents, and the tokens that they are exchanged for (RFC 6749, client credentials). */
export class Credentials {
  readonly #outbound: Outbound;
  readonly #nowMs: () => number;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(outbound: Outbound, nowMs: () => number) {
    this.#outbound = outbound;
    this.#nowMs = nowMs;
  }

  /** `subject`: whose credential it is, for errors. Rejects with `WorkError`: `validation` if a variable is not given to the tenant. */
  async of(subject: string, auth: Credential | undefined, vars: Vars, signal: AbortSignal): Promise<CredentialHeaders> {
    if (auth === undefined) return NO_CREDENTIAL;
    const variable = (name: string): string => {
      const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
      if (value !== undefined) return value;
      throw invalid(`${subject} needs the variable ${name}, which JAMJET_WORKFLOW_ENV does not give to this tenant`);
    };
    if (auth.type === 'api_key') {
      const key = variable(auth.key_env);
      return { headers: { [auth.header.toLowerCase()]: key }, secrets: [key] };
    }
    if (auth.type === 'bearer') return bearer(variable(auth.token_env), []);
    const client = {
      tokenEndpoint: auth.token_url,
      clientId: variable(auth.client_id_env),
      clientSecret: variable(auth.client_secret_env),
    };
    const { value } = await this.#token(client, auth.scope ?? '', signal);
    return bearer(value, [client.clientSecret]);
  }

  async #token(
    client: { readonly tokenEndpoint: string; readonly clientId: string; readonly clientSecret: string },
    scope: string,
    signal: AbortSignal,
  ): Promise<Token> {
    const key = JSON.stringify([client.tokenEndpoint, client.clientId, client.clientSecret, scope]);
    const known = await this.#tokens.get(key)?.catch(() => null);
    if (known != null && known.expiresAtMs > this.#nowMs()) return known;
    requireHttps(client.tokenEndpoint, this.#outbound);
    const grant = { grant_type: 'client_credentials', ...(scope === '' ? {} : { scope }) };
    const issued = requestToken(this.#outbound, client, grant, [], signal).then(({ token, expiresInSecs }) => {
      const lifeMs = expiresInSecs === null ? DEFAULT_LIFE_MS : expiresInSecs * 1000;
      return { value: token, expiresAtMs: this.#nowMs() + Math.max(lifeMs - EXPIRY_MARGIN_MS, 0) };
    });
    this.#tokens.delete(key);
    this.#tokens.set(key, issued);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    issued.catch(() => {
      if (this.#tokens.get(key) === issued) this.#tokens.delete(key);
    });
    return issued;
  }
}

/** Throws `WorkError` `validation` for an address without TLS, unless private addresses are allowed. */
export function requireHttps(url: string, outbound: Outbound): void {
  if (/^https:/i.test(url) || outbound.allowsPrivateAddresses) return;
  const shown = URL.canParse(url) ? new URL(url).origin : 'the address';
  throw invalid(`${shown} is not https, which it has to be; JAMJET_ALLOW_PRIVATE_ADDRESSES allows http`);
}

/** A token that is sent as it is; `secrets` are others that must not appear in errors. */
export function bearer(token: string, secrets: readonly string[] = []): CredentialHeaders {
  return { headers: { authorization: `Bearer ${token}` }, secrets: [token, ...secrets] };
}
