import { describe, expect, it } from 'vitest';
import { durable, Type } from '../../../src/index.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, UNKNOWN_EXECUTION } from '../support/api.ts';

const cart = durable({
  id: 'cart',
  run: async (ctx) => {
    const items: string[] = [];
    ctx.onUpdate('add item', Type.Object({ sku: Type.String() }), async ({ sku }) => {
      if (sku === 'none') throw new Error('there is none');
      if (sku === 'slow') await ctx.event('go');
      items.push(sku);
      return { count: items.length };
    });
    await ctx.event('end');
    return { items };
  },
});

async function opened(): Promise<{ readonly server: Api; readonly id: string; readonly url: string }> {
  const server = await api({ tools: cart.tools });
  const id = await server.started(cart.document, {});
  await eventually(async () => (await server.get(`/executions/${id}`)).body.status === 'paused');
  return { server, id, url: `/executions/${id}/updates/${encodeURIComponent('add item')}` };
}

describe('POST /executions/:id/updates/:name', () => {
  it('replies with what the handler returns, and once for a key', async () => {
    const { server, id, url } = await opened();
    const first = await server.post(url, { input: { sku: 'a' } }, { headers: { 'idempotency-key': 'k' } });
    expect(first).toMatchObject({
      status: 200,
      body: { execution_id: id, name: 'add item', status: 'completed', output: { count: 1 } },
    });
    expect((await server.post(url, { input: { sku: 'a' } }, { headers: { 'idempotency-key': 'k' } })).body).toEqual(first.body);
    const other = await server.post(url, { input: { sku: 'b' } }, { headers: { 'idempotency-key': 'k' } });
    expect(other).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await server.post(url, { input: { sku: 'b' } })).body.output).toEqual({ count: 2 });
  });

  it('replies 202 until the function has handled it, and then with the answer to the same key', async () => {
    const { server, id, url } = await opened();
    const send = (query: string) => server.post(url + query, { input: { sku: 'slow' } }, { headers: { 'idempotency-key': 'k' } });
    const accepted = await send('?wait_ms=0');
    expect(accepted).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(accepted.body.output).toBeUndefined();
    await server.post(`/executions/${id}/external-event`, { correlation_key: 'go', payload: null });
    expect(await send('')).toMatchObject({ status: 200, body: { sequence: accepted.body.sequence, output: { count: 1 } } });
  });

  it('waits until a function that was started just now has named the update, within wait_ms', async () => {
    let goOn: (() => void) | null = null;
    const slow = durable({
      id: 'cart',
      run: async (ctx) => {
        await ctx.step('prepare', () => new Promise<void>((resolve) => (goOn = resolve)));
        ctx.onUpdate('add item', null, (sku) => ({ sku }));
        await ctx.event('end');
      },
    });
    const server = await api({ tools: slow.tools });
    const id = await server.started(slow.document, {});
    const url = `/executions/${id}/updates/add%20item`;
    expect(await server.post(`${url}?wait_ms=0`, { input: 'a' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    let isOver = false;
    const late = server.post(`${url}?wait_ms=10`, { input: 'a' }).finally(() => {
      isOver = true;
    });
    await eventually(() => {
      server.clock.advance(10);
      return isOver && goOn !== null;
    });
    expect(await late).toMatchObject({ status: 404, body: { error: expect.stringContaining('takes no update "add item" yet') } });
    const held = server.post(url, { input: 'b' }, { headers: { 'idempotency-key': 'k' } });
    (goOn as (() => void) | null)?.();
    expect(await held).toMatchObject({ status: 200, body: { status: 'completed', output: { sku: 'b' } } });
    expect((await server.post(url, { input: 'b' }, { headers: { 'idempotency-key': 'k' } })).body).toEqual((await held).body);
    expect((await server.log(id)).filter(({ type }) => type === 'update_received')).toHaveLength(1);
  });

  it('says what is wrong', async () => {
    const { server, id, url } = await opened();
    const problem = async (path: string, body: object = {}) => {
      const { status, body: reply } = await server.post(path, body);
      return [status, reply.code, reply.error];
    };
    expect(await problem(url, { input: { sku: 7 } })).toEqual([
      400,
      'invalid_input',
      expect.stringContaining('the input does not fit the schema of update add item: sku must be string'),
    ]);
    expect(await problem(`/executions/${id}/updates/add`)).toEqual([
      404,
      'not_found',
      expect.stringContaining(`execution ${id} takes no update "add"; it takes add item`),
    ]);
    expect(await problem(`/executions/${UNKNOWN_EXECUTION}/updates/add`)).toMatchObject([404, 'not_found', expect.any(String)]);
    expect(await problem(url, { input: { sku: 'none' } })).toEqual([
      422,
      'update_failed',
      expect.stringContaining('there is none'),
    ]);
    expect(await problem(url, { inptu: {} })).toMatchObject([400, expect.anything(), expect.anything()]);
    await server.post(`/executions/${id}/external-event`, { correlation_key: 'end', payload: null });
    await eventually(async () => (await server.get(`/executions/${id}`)).body.status === 'completed');
    expect(await problem(url, { input: { sku: 'a' } })).toEqual([
      409,
      'conflict',
      expect.stringContaining(`execution ${id} has ended: completed`),
    ]);
  });
});
