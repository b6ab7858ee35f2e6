import { type OAuth, TOKEN_EXCHANGE } from '../../../machines/ir/oauth.ts';
import { shortened } from '../../../machines/shortened.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { resolveReference, type Vars } from './references.ts';
import { type AccessToken, type Client, OAUTH_FAILURE, requestToken } from './token-request.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const MAX_CACHED = 10_000;
/** A cached token is not used in the last seconds of its life: the request that carries it takes time. */
const MARGIN_MS = 30_000;

/** Finds the token of the person on whose behalf an execution acts; null = none was given, or it is lost. */
export type SubjectTokenOf = (tenantId: string, executionId: string) => Promise<string | null>;

/** An attempt that needs an access token. */
export interface Delegation {
  readonly tenantId: string;
  readonly executionId: string;
  readonly oauth: OAuth;
  readonly vars: Vars;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
}

export interface Granted {
  readonly token: string;
  readonly scopes: readonly string[];
}

/** How an exchange ended, as it is logged. */
export interface ExchangeOutcome {
  readonly granted: readonly string[] | null;
  readonly error: string | null;
}

/**
 * Exchanges the subject tokens of executions for access tokens with the scopes of a node (RFC 8693). Tokens are kept in memory only, as long as
 * they are valid.
 */
export class TokenExchange {
  readonly #outbound: Outbound;
  readonly #subjectTokenOf: SubjectTokenOf;
  readonly #granted = new RecentlyUsed<string, Granted>(MAX_CACHED);

  constructor(outbound: Outbound, subjectTokenOf: SubjectTokenOf) {
    this.#outbound = outbound;
    this.#subjectTokenOf = subjectTokenOf;
  }

  /** The access token for the scopes. `onExchange` is awaited after each exchange, granted or refused. Rejects with `WorkError`. */
  async tokenFor(delegation: Delegation, onExchange: (outcome: ExchangeOutcome) => Promise<void>): Promise<Granted> {
    const { tenantId, executionId, oauth, vars, scopes } = delegation;
    const client = clientOf(oauth, vars);
    const key = JSON.stringify([
      tenantId,
      executionId,
      client.tokenEndpoint,
      client.clientId,
      oauth.audience,
      oauth.resource,
      scopes,
    ]);
    const cached = this.#granted.get(key);
    if (cached !== undefined) return cached;
    const subjectToken = await this.#subjectTokenOf(tenantId, executionId);
    if (subjectToken === null)
      throw refused(
        'the execution has no subject token: it was started without one, or it was kept in memory by a process that has ended',
      );
    let answer: AccessToken;
    let granted: Granted;
    try {
      answer = await requestToken(
        this.#outbound,
        client,
        grantOf(oauth, scopes, subjectToken),
        [subjectToken],
        delegation.signal,
      );
      granted = grantedBy(answer, scopes);
    } catch (error) {
      await onExchange({ granted: null, error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    const ttl = (answer.expiresInSecs ?? 0) * 1000 - MARGIN_MS;
    if (ttl > 0) this.#granted.set(key, granted, { ttl });
    await onExchange({ granted: granted.scopes, error: null });
    return granted;
  }
}

function clientOf({ token_endpoint, client_id, client_secret }: OAuth, vars: Vars): Client {
  return {
    tokenEndpoint: resolveReference(token_endpoint, vars),
    clientId: resolveReference(client_id, vars),
    clientSecret: client_secret === undefined ? null : resolveReference(client_secret, vars),
  };
}

function grantOf({ audience, resource }: OAuth, scopes: readonly string[], subjectToken: string): Record<string, string> {
  return {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(audience === undefined ? {} : { audience }),
    ...(resource === undefined ? {} : { resource }),
  };
}

/** A token with fewer scopes would fail later and elsewhere; one with more would widen what the node was given. */
function grantedBy({ token, scopes }: AccessToken, asked: readonly string[]): Granted {
  const granted = scopes ?? asked;
  const missing = asked.filter((scope) => !granted.includes(scope));
  if (missing.length > 0) throw refused(`the subject token does not give the scopes ${missing.join(', ')}`);
  const wider = granted.filter((scope) => !asked.includes(scope));
  if (asked.length > 0 && wider.length > 0)
    throw refused(`the token endpoint granted scopes that were not asked for: ${shortened(wider.join(', '), 300)}`);
  return { token, scopes: granted };
}

function refused(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: OAUTH_FAILURE });
}
