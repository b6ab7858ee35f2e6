import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { tokenServer } from '../../executors/oauth/token-server.ts';
import { webServer } from '../../executors/web-server.ts';
import { ir } from '../../support/ir.ts';
import { CALLER, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const SUBJECT = 'subject-token-of-ann-0123456789';
const ACCESS = 'access-token-1';

/** Calls the service with a token, after an event if it waits. */
function expenses(tokenUrl: string, serviceUrl: string, { waits = false, more = {} as JsonObject } = {}): JsonObject {
  const submit = {
    type: 'http',
    url: serviceUrl,
    method: 'POST',
    body: { amount: 350 },
    node: { oauth_scopes: ['expenses:write'] },
  };
  const oauth = { token_endpoint: tokenUrl, client_id: 'expense-agent', requested_scopes: ['expenses:read', 'expenses:write'] };
  return waits
    ? ir('expenses', { approved: { type: 'wait', correlation_key: 'approved' }, submit }, [['approved', 'submit']], {
        oauth,
        ...more,
      })
    : ir('expenses', { submit }, [], { oauth, ...more });
}

const service = () => webServer((_, response) => response.end('{}'));

async function start({ runtime }: TestRuntime, document: JsonObject, subjectToken?: string): Promise<string> {
  const { workflowId } = await runtime.register(CALLER, document);
  const given = subjectToken === undefined ? {} : { subjectToken };
  return (await runtime.start(CALLER, { workflowId, input: { employee: 'ann' }, ...given })).executionId;
}

const stored = (path: string): string =>
  readdirSync(dirname(path))
    .map((file) => readFileSync(join(dirname(path), file), 'latin1'))
    .join('');

const OPTIONS = { allowPrivateAddresses: true, secretKey: randomBytes(32) };

describe('an execution with a subject token', () => {
  it('calls services with access tokens for the scopes of its nodes, and logs each exchange', async () => {
    const [tokens, { url, requests }] = [await tokenServer(), await service()];
    const opened = await openTestRuntime(OPTIONS);
    const id = await start(opened, expenses(tokens.url, url), SUBJECT);
    expect(await opened.settled(id)).toMatchObject({ status: 'completed' });
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${ACCESS}`);
    expect(tokens.asked()[0]?.get('scope')).toBe('expenses:write');
    const exchanges = (await opened.log(id)).filter(({ type }) => type === 'oauth_token_exchange');
    expect(exchanges).toMatchObject([
      { nodeId: 'submit', data: { outcome: 'granted', token_endpoint: tokens.url, granted_scopes: ['expenses:write'] } },
    ]);
    await opened.close();
    for (const secret of [SUBJECT, ACCESS]) expect(stored(opened.path)).not.toContain(secret);
  });

  it('goes on after a restart with the token that is stored sealed, and removes it at its end', async () => {
    const [tokens, { url, requests }] = [await tokenServer(), await service()];
    const before = await openTestRuntime(OPTIONS);
    const id = await start(before, expenses(tokens.url, url, { waits: true }), SUBJECT);
    await before.settled(id);
    expect(await before.store.subjectTokens.find('default', id)).not.toBeNull();
    await before.close();
    expect(stored(before.path)).not.toContain(SUBJECT);

    const after = await openTestRuntime({ ...OPTIONS, path: before.path });
    await after.runtime.sendEvent(CALLER, id, { key: 'approved', payload: {} });
    expect(await after.settled(id)).toMatchObject({ status: 'completed' });
    expect(requests).toHaveLength(1);
    await expect.poll(() => after.store.subjectTokens.find('default', id)).toBeNull();
  });

  it.each([
    ['without a key', { secretKey: undefined }, {}],
    ['with another key', {}, { secretKey: randomBytes(32) }],
  ])('fails after a restart %s, and says why', async (_, first, second) => {
    const [tokens, { url }] = [await tokenServer(), await service()];
    const options = (more: object) => {
      const { secretKey, ...rest } = { ...OPTIONS, ...more };
      return secretKey === undefined ? rest : { ...rest, secretKey };
    };
    const before = await openTestRuntime(options(first));
    const id = await start(before, expenses(tokens.url, url, { waits: true }), SUBJECT);
    await before.settled(id);
    await before.close();
    const after = await openTestRuntime({ ...options({ ...first, ...second }), path: before.path });
    await after.runtime.sendEvent(CALLER, id, { key: 'approved', payload: {} });
    expect(await after.settled(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('no subject token') });
  });

  it('gives it to its child executions', async () => {
    const [tokens, { url, requests }] = [await tokenServer(), await service()];
    const opened = await openTestRuntime(OPTIONS);
    const child = expenses(tokens.url, url);
    await opened.runtime.register(CALLER, child);
    const { oauth } = child;
    const parent = ir('parent', { submit: { type: 'subgraph', workflow_ref: 'expenses' } }, [], { oauth: oauth as JsonObject });
    const id = await start(opened, parent, SUBJECT);
    expect(await opened.settled(id)).toMatchObject({ status: 'completed' });
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${ACCESS}`);
  });

  it('fails without a retry when the endpoint refuses, and logs that', async () => {
    const tokens = await tokenServer(() => ({ status: 400, body: { error: 'invalid_grant' } }));
    const { url, requests } = await service();
    const opened = await openTestRuntime(OPTIONS);
    const id = await start(opened, expenses(tokens.url, url), SUBJECT);
    expect(await opened.settled(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('invalid_grant') });
    expect((await opened.timeline(id)).filter((line) => /exchange|failed submit/.test(line))).toEqual([
      'oauth_token_exchange submit',
      'node_failed submit',
    ]);
    expect(requests).toHaveLength(0);
  });

  it('does not bring an access token that a service repeats into its state or errors', async () => {
    const tokens = await tokenServer();
    const echo = await webServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ headers: request.headers }));
    });
    const opened = await openTestRuntime(OPTIONS);
    const id = await start(opened, expenses(tokens.url, echo.url), SUBJECT);
    const { state } = await opened.settled(id);
    expect(JSON.stringify(state)).toContain('Bearer [key]');
    await opened.close();
    expect(stored(opened.path)).not.toContain(ACCESS);
  });

  it('needs a workflow with oauth', async () => {
    const opened = await openTestRuntime(OPTIONS);
    const plain = ir('plain', { wait: { type: 'wait' } }, []);
    await expect(start(opened, plain, SUBJECT)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('is started once, with one token, by repeated requests', async () => {
    const [tokens, { url }] = [await tokenServer(), await service()];
    const opened = await openTestRuntime(OPTIONS);
    const document = expenses(tokens.url, url, { waits: true });
    const { workflowId } = await opened.runtime.register(CALLER, document);
    const request = { workflowId, input: {}, idempotencyKey: 'k1', subjectToken: SUBJECT };
    const started = await Promise.all([1, 2, 3].map(() => opened.runtime.start(CALLER, request)));
    expect(new Set(started.map(({ executionId }) => executionId)).size).toBe(1);
    expect(await opened.store.subjectTokens.find('default', started[0]?.executionId ?? '')).not.toBeNull();
  });
});

describe('a token whose execution never started', () => {
  it('is removed by a later start of the runtime', async () => {
    const before = await openTestRuntime(OPTIONS);
    const row = { tenantId: 'default', executionId: 'exec_lost', sealed: Buffer.from('x') };
    await before.store.subjectTokens.put({ ...row, createdAtMs: before.clock.nowMs() - 2 * 3_600_000 });
    await before.store.subjectTokens.put({ ...row, executionId: 'exec_new', createdAtMs: before.clock.nowMs() });
    await before.close();
    const after = await openTestRuntime({ ...OPTIONS, path: before.path });
    expect(await after.store.subjectTokens.find('default', 'exec_lost')).toBeNull();
    expect(await after.store.subjectTokens.find('default', 'exec_new')).not.toBeNull();
  });
});
