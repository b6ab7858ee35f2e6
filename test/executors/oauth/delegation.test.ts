import { describe, expect, it } from 'vitest';
import type { OAuth } from '../../../machines/ir/oauth.ts';
import { type Delegation, type ExchangeOutcome, TokenExchange } from '../../../src/executors/oauth/delegation.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { failure } from '../work.ts';
import { grants, tokenServer } from './token-server.ts';

const SUBJECT = 'subject-token-of-ann';
const SECRET = 'client-secret-of-the-operator';

function exchangeWith(subject: string | null = SUBJECT, allowPrivateAddresses = true) {
  const outcomes: ExchangeOutcome[] = [];
  const exchange = new TokenExchange(new Outbound({ allowPrivateAddresses }), async () => subject);
  const tokenFor = (url: string, scopes: readonly string[], more: Partial<OAuth> = {}, delegation: Partial<Delegation> = {}) =>
    exchange.tokenFor(
      {
        tenantId: 'default',
        executionId: 'exec_1',
        oauth: { token_endpoint: url, client_id: 'expenses', client_secret: '$' + '{SECRET}', requested_scopes: [], ...more },
        vars: { SECRET },
        scopes,
        signal: new AbortController().signal,
        ...delegation,
      },
      async (outcome) => void outcomes.push(outcome),
    );
  return { tokenFor, outcomes };
}

describe('the exchange of a subject token', () => {
  it('asks as RFC 8693 has it', async () => {
    const { url, requests, asked } = await tokenServer();
    const { tokenFor, outcomes } = exchangeWith();
    const granted = await tokenFor(url, ['read', 'write'], { audience: 'https://api', resource: 'https://api/expenses' });
    expect(granted).toEqual({ token: 'access-token-1', scopes: ['read', 'write'] });
    expect(outcomes).toEqual([{ granted: ['read', 'write'], error: null }]);
    expect(Object.fromEntries(asked()[0] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: SUBJECT,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'read write',
      audience: 'https://api',
      resource: 'https://api/expenses',
    });
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`expenses:${SECRET}`).toString('base64')}`);
  });

  it('names a public client in the body', async () => {
    const { url, requests, asked } = await tokenServer();
    const { tokenFor } = exchangeWith();
    await tokenFor(url, ['read'], { client_secret: undefined } as never);
    expect(asked()[0]?.get('client_id')).toBe('expenses');
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  it('happens once for the same scopes of an execution while the token is valid', async () => {
    const { url, requests } = await tokenServer();
    const { tokenFor } = exchangeWith();
    await tokenFor(url, ['read']);
    await tokenFor(url, ['read']);
    expect(requests).toHaveLength(1);
    await tokenFor(url, ['write']);
    await tokenFor(url, ['read'], {}, { executionId: 'exec_2' });
    await tokenFor(url, ['read'], {}, { tenantId: 'acme' });
    expect(requests).toHaveLength(4);
  });

  it('happens each time when the endpoint does not say how long the token is valid', async () => {
    const { url, requests } = await tokenServer(() => ({ body: { access_token: 'short', token_type: 'bearer' } }));
    const { tokenFor } = exchangeWith();
    expect(await tokenFor(url, ['read'])).toEqual({ token: 'short', scopes: ['read'] });
    await tokenFor(url, ['read']);
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['fewer', 'read', 'the subject token does not give the scopes write'],
    ['other', 'read write admin', 'scopes that were not asked for: admin'],
  ])('refuses a token with %s scopes than those asked for', async (_, scope, message) => {
    const { url } = await tokenServer(() => ({ body: { access_token: 'a', token_type: 'Bearer', expires_in: 60, scope } }));
    const { tokenFor, outcomes } = exchangeWith();
    const error = await failure(tokenFor(url, ['read', 'write']));
    expect(error).toMatchObject({ retryable: false, errorClass: 'oauth', message: expect.stringContaining(message) });
    expect(outcomes).toEqual([{ granted: null, error: error.message }]);
  });

  it.each([
    [400, { error: 'invalid_grant', error_description: 'expired' }, 'status 400: invalid_grant: expired', false, 'oauth'],
    [401, 'no JSON', 'status 401', false, 'oauth'],
    [429, {}, 'status 429', true, 'rate_limit'],
    [503, {}, 'status 503', true, 'server_error'],
    [302, {}, 'status 302', false, 'oauth'],
    [200, { error: 'lies' }, 'has sent no access token', true, 'oauth'],
    [200, '<html>', 'has sent no access token', true, 'oauth'],
    [200, { access_token: 'a b' }, 'has sent no access token', true, 'oauth'],
    [200, { access_token: 'x', token_type: 'mac' }, 'of type "mac"', false, 'oauth'],
  ])('fails at a reply of status %s with %j', async (status, body, message, retryable, errorClass) => {
    const { url } = await tokenServer(() => ({ status, body }));
    const error = await failure(exchangeWith().tokenFor(url, ['read']));
    expect(error).toMatchObject({ retryable, errorClass, message: expect.stringContaining(message) });
  });

  it('keeps secrets out of errors that repeat them', async () => {
    const { url } = await tokenServer(() => ({
      status: 400,
      body: { error: 'invalid_request', error_description: `${SUBJECT} ${SECRET}` },
    }));
    const { tokenFor, outcomes } = exchangeWith();
    const { message } = await failure(tokenFor(url, ['read']));
    expect(message).toContain('[key] [key]');
    for (const secret of [SUBJECT, SECRET]) expect(JSON.stringify([message, outcomes])).not.toContain(secret);
  });

  it('needs a subject token, and the variables that the document names', async () => {
    const { url, requests } = await tokenServer(grants);
    expect(await failure(exchangeWith(null).tokenFor(url, ['read']))).toMatchObject({
      retryable: false,
      errorClass: 'oauth',
      message: expect.stringContaining('no subject token'),
    });
    const error = await failure(exchangeWith().tokenFor(url, ['read'], {}, { vars: {} }));
    expect(error.message).toContain('SECRET, which JAMJET_WORKFLOW_ENV does not give');
    expect(requests).toHaveLength(0);
  });

  it('does not ask an endpoint in a private network', async () => {
    const { url, requests } = await tokenServer();
    expect(await failure(exchangeWith(SUBJECT, false).tokenFor(url, ['read']))).toMatchObject({ errorClass: 'blocked_address' });
    expect(requests).toHaveLength(0);
  });
});
