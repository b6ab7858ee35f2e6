import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { api } from './support/api.ts';
import { createTenant } from './support/tenants.ts';

/** More than are handled in one turn of the event loop. */
const MANY = 300;

const READ = { method: 'GET', url: '/me' } as const;
const WRITE = { method: 'POST', url: '/workflows', payload: '{"ir":{}}' } as const;
const HEALTH = { method: 'GET', url: '/health' } as const;

type Request = typeof READ | typeof WRITE | typeof HEALTH;

/** Sends many requests of one tenant, then one of `tenantId`, all at once. Resolves to how many were parsed and handled before that one. */
async function doneBefore(tenantId: string, last: Request, many: Request = last) {
  const server = await api();
  const handled: (string | undefined)[] = [];
  server.app.addHook('preValidation', async ({ headers }) => void handled.push(headers['x-name']?.toString()));
  await createTenant(server, 'other');
  const tokens = { default: await server.token('developer'), [tenantId]: await server.token('developer', { tenantId }) };
  const send = (tenant: string, name: string, request: Request) =>
    server.app.inject({ ...request, headers: { authorization: `Bearer ${tokens[tenant]}`, 'x-name': name } });
  // Tokens and tenants are in memory from now on.
  for (const tenant of Object.keys(tokens)) await send(tenant, '', last);
  handled.length = 0;
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  const parsed = (): number => parse.mock.calls.filter(([text]) => text === WRITE.payload).length;
  const all = Array.from({ length: MANY }, () => send('default', 'many', many).then(() => {}));
  const { headers } = await send(tenantId, 'last', last);
  expect(headers['x-request-id']).toBeDefined();
  const parsedBefore = parsed();
  await Promise.all(all);
  expect(handled).toHaveLength(MANY + 1);
  return { handled: handled.indexOf('last'), parsed: parsedBefore };
}

describe('a request that arrives after many of one tenant', () => {
  it('is handled before most of them if it is of another tenant', async () => {
    expect((await doneBefore('other', READ)).handled).toBeLessThan(MANY / 2);
  });

  it('is handled before most of their bodies are parsed', async () => {
    expect((await doneBefore('other', WRITE)).parsed).toBeLessThan(MANY / 2);
  });

  it('is handled after them if it is of the same tenant', async () => {
    expect((await doneBefore('default', READ)).handled).toBe(MANY);
  });

  it('does not wait if its route is open', async () => {
    expect((await doneBefore('default', HEALTH, READ)).handled).toBeLessThan(MANY / 2);
  });
});
