import type { OAuth } from '../../../machines/ir/oauth.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type Executor, type LogProgress, type WorkContext, WorkError, type WorkResult } from '../executor.ts';
import type { FailureDetails } from '../failure-description.ts';
import { withoutSecrets } from '../secrets.ts';
import type { ExchangeOutcome, TokenExchange } from './delegation.ts';
import type { Vars } from './references.ts';

export interface ScopedWork {
  readonly oauth: OAuth;
  readonly vars: Vars;
  readonly scopes: readonly string[];
}

/**
 * The executor with an access token for the scopes in its context. Each exchange is logged before the work begins; a service that repeats the
 * token does not bring it into results and errors.
 */
export function withAccessToken(execute: Executor, exchange: TokenExchange, { oauth, vars, scopes }: ScopedWork): Executor {
  const scoped: Executor = async (work, context, onText, log) => {
    const { tenantId, executionId, signal } = context;
    const accessToken = await exchange.tokenFor({ tenantId, executionId, oauth, vars, scopes, signal }, (outcome) =>
      logExchange(log, oauth, scopes, outcome),
    );
    // On the prototype, so the spread leaves it out.
    const meter = context.meter === undefined ? {} : { meter: context.meter.bind(context) };
    const withToken: WorkContext = { ...context, ...meter, accessToken };
    try {
      return resultWithout(accessToken.token, await execute(work, withToken, onText, log));
    } catch (error) {
      throw errorWithout(accessToken.token, error);
    }
  };
  return execute.release === undefined ? scoped : Object.assign(scoped, { release: execute.release });
}

async function logExchange(
  log: LogProgress | undefined,
  { token_endpoint, audience }: OAuth,
  scopes: readonly string[],
  { granted, error }: ExchangeOutcome,
): Promise<void> {
  await log?.('oauth_token_exchange', {
    outcome: granted === null ? 'refused' : 'granted',
    token_endpoint,
    requested_scopes: [...scopes],
    granted_scopes: granted === null ? null : [...granted],
    ...(audience === undefined ? {} : { audience }),
    ...(error === null ? {} : { error }),
  });
}

function resultWithout(token: string, result: WorkResult): WorkResult {
  const { output, patch } = result;
  const clean = { ...result, output: jsonWithout(token, output) };
  return patch === undefined ? clean : { ...clean, patch: jsonWithout(token, patch) };
}

function jsonWithout(token: string, value: Json): Json {
  const text = JSON.stringify(value);
  const escaped = JSON.stringify(token).slice(1, -1);
  return text.includes(escaped) ? JSON.parse(withoutSecrets([escaped], text)) : value;
}

function errorWithout(token: string, error: unknown): unknown {
  if (!(error instanceof WorkError)) return error;
  const { details } = error;
  const message = withoutSecrets([token], error.message);
  const clean = details === null ? null : (jsonWithout(token, details as unknown as JsonObject) as FailureDetails);
  if (message === error.message && clean === details) return error;
  return error.with({ message, ...(clean === null ? {} : { details: clean }) });
}
