import { isObject, type Json } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { withoutSecrets } from '../secrets.ts';

/** The class of failures that another token could avoid. */
export const OAUTH_FAILURE = 'oauth';
/** Longest access token, in characters. */
const MAX_TOKEN = 64 * 1024;
const MAX_ERROR = 500;

export interface Client {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** Null = a public client. */
  readonly clientSecret: string | null;
}

export interface AccessToken {
  readonly token: string;
  /** Null = the endpoint does not say: those that were asked for (RFC 6749, section 5.1). */
  readonly scopes: readonly string[] | null;
  /** Seconds for which it is valid; null = the endpoint does not say. */
  readonly expiresInSecs: number | null;
}

/**
 * Asks a token endpoint for an access token. `parameters` are those of the grant; `secrets` among them are kept out of errors. Rejects with
 * `WorkError`: of class `oauth`, not retryable, when the endpoint refuses; retryable when it cannot be reached or fails itself.
 */
export async function requestToken(
  outbound: Outbound,
  { tokenEndpoint, clientId, clientSecret }: Client,
  parameters: Readonly<Record<string, string>>,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<AccessToken> {
  const body = new URLSearchParams({ ...parameters, ...(clientSecret === null ? { client_id: clientId } : {}) });
  const credential = clientSecret === null ? null : basic(clientId, clientSecret);
  const response = await outbound.send({
    url: tokenEndpoint,
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(credential === null ? {} : { authorization: `Basic ${credential}` }),
    },
    body: body.toString(),
    signal,
    secrets: clientSecret === null || credential === null ? [] : [credential, clientSecret],
  });
  const said = parsed(response.text);
  const { status } = response;
  if (status === 200) return tokenIn(said, secrets);
  throw refusal(status, said, secrets);
}

/** RFC 6749, section 2.3.1: both are form-encoded before they are joined. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map((text) => new URLSearchParams({ '': text }).toString().slice(1));
  return Buffer.from(encoded.join(':')).toString('base64');
}

function parsed(text: string): Readonly<Record<string, Json>> {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function tokenIn(
  { access_token, token_type, scope, expires_in }: Readonly<Record<string, Json>>,
  secrets: readonly string[],
): AccessToken {
  if (typeof access_token !== 'string' || !/^[\x21-\x7e]+$/.test(access_token) || access_token.length > MAX_TOKEN)
    throw failed('the token endpoint has sent no access token', true);
  if (typeof token_type === 'string' && token_type.toLowerCase() !== 'bearer')
    throw failed(`the token endpoint has sent a token of type "${shortened(token_type, 60)}", not Bearer`, false);
  return {
    token: access_token,
    scopes:
      typeof scope === 'string'
        ? withoutSecrets([...secrets, access_token], scope)
            .split(' ')
            .filter((part) => part !== '')
        : null,
    expiresInSecs: typeof expires_in === 'number' && expires_in > 0 ? expires_in : null,
  };
}

function refusal(status: number, said: Readonly<Record<string, Json>>, secrets: readonly string[]): WorkError {
  const { error, error_description } = said;
  const texts = [error, error_description].filter((text): text is string => typeof text === 'string');
  const reason = texts.length === 0 ? '' : `: ${shortened(withoutSecrets(secrets, texts.join(': ')), MAX_ERROR)}`;
  return new WorkError(`the token endpoint refused with status ${status}${reason}`, {
    retryable: status === 429 || status >= 500,
    errorClass: status === 429 ? 'rate_limit' : status >= 500 ? 'server_error' : OAUTH_FAILURE,
    httpStatus: status,
  });
}

function failed(message: string, retryable: boolean): WorkError {
  return new WorkError(message, { retryable, errorClass: OAUTH_FAILURE });
}
