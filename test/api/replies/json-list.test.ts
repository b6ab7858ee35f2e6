import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendList } from '../../../src/api/replies/json-list.ts';

async function serving(items: () => AsyncIterable<unknown>, rest?: object): Promise<FastifyInstance> {
  const app = Fastify();
  app.get('/', (_request, reply) => sendList(reply, 'items', items(), rest));
  onTestFinished(() => app.close());
  return app;
}

async function* counted(count: number, failAt = -1): AsyncGenerator<string> {
  for (let i = 0; i < count; i += 1) {
    if (i === failAt) throw new Error('the store is gone');
    yield `item ${i} ${'x'.repeat(1_000)}`;
  }
}

describe('a list', () => {
  it.each([0, 1, 64, 65, 66, 1_000])('of %i items is one JSON document', async (count) => {
    const app = await serving(() => counted(count), { limit: 5 });
    const { items, limit } = (await app.inject('/')).json();
    expect([items.length, limit]).toEqual([count, 5]);
  });

  it('may have no other fields', async () => {
    const app = await serving(() => counted(0));
    expect((await app.inject('/')).payload).toBe('{"items":[]}');
  });

  it('that fails before its first item is an error', async () => {
    const app = await serving(() => counted(10, 0));
    expect((await app.inject('/')).statusCode).toBe(500);
  });

  it('that fails later is not valid JSON', async () => {
    const app = await serving(() => counted(1_000, 900));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it('stops reading when the client has disconnected', async () => {
    let stopped: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const app = await serving(async function* () {
      try {
        yield* counted(Number.MAX_SAFE_INTEGER);
      } finally {
        stopped();
      }
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const leave = new AbortController();
    const response = await fetch(url, { signal: leave.signal });
    await response.body?.getReader().read();
    leave.abort();
    await over;
    app.server.closeAllConnections();
  });
});
