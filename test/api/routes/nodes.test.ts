import { describe, expect, it } from 'vitest';
import type { NodeDetail } from '../../../src/api/operations/nodes.ts';
import { api, ECHO, ECHO_TOOLS, EXTERNAL, UNKNOWN_EXECUTION } from '../support/api.ts';

const detail = (body: unknown): NodeDetail => body as NodeDetail;

/** Calls `echo` until it has been called three times. */
const LOOP = {
  workflow_id: 'loop',
  version: '1.0.0',
  nodes: {
    count: { kind: { type: 'tool', tool_ref: 'count' } },
    again: { kind: { type: 'condition', branches: [{ condition: 'state.n < 3', target: 'count' }], default: 'end' } },
  },
  edges: [{ from: 'count', to: 'again' }],
};
const COUNT = { count: ({ n = 0 }: { readonly n?: number }) => ({ n: n + 1 }) };

/** Works on a list, of which every third item fails. */
const MAP = {
  workflow_id: 'map',
  version: '1.0.0',
  nodes: {
    m: {
      kind: { type: 'map', items: 'state.list', do: { type: 'tool', tool_ref: 'third' }, on_item_error: 'collect' },
      retry_policy: 'no_retry',
    },
  },
};
const THIRD = {
  third: async (item: number) => {
    if (item % 3 === 2) throw new Error(`no ${item}`);
    return item;
  },
};

describe('GET /executions/:id/nodes/:node_id', () => {
  it('counts the items of a list, gives pages of them, and the attempts of one', async () => {
    const it = await api({ tools: THIRD as never });
    const id = await it.started(MAP, { list: Array.from({ length: 250 }, (_, item) => item) });
    await it.runtime.settled('default', id);
    const path = `/executions/${id}/nodes/m`;
    const { body } = await it.get(path);
    expect(body).toMatchObject({
      kind: 'map',
      status: 'done',
      visits: [{ attempts_total: 1, items: { total: 250, succeeded: 167, failed: 83, cancelled: 0, open: 0 } }],
      next_item: 99,
    });
    const placesOf = (page: unknown) => detail(page).items?.map(({ item }) => item);
    expect(placesOf(body)).toEqual(Array.from({ length: 100 }, (_, item) => item));
    expect(placesOf((await it.get(`${path}?after_item=199`)).body)).toHaveLength(50);
    const failed = await it.get(`${path}?status=failed&after_item=240`);
    expect(failed.body).toMatchObject({
      items: [
        { item: 242, status: 'failed', attempts: 1, error: 'no 242' },
        { item: 245, status: 'failed', error: 'no 245' },
        { item: 248, status: 'failed', error: 'no 248' },
      ],
      next_item: null,
    });
    const one = await it.get(`${path}?item=5`);
    expect(detail(one.body).visits).toMatchObject([{ status: 'failed', attempts: [{ input: 5, error: 'no 5' }] }]);
    expect((await it.get(`${path}?status=gone`)).status).toBe(400);
    const none = await it.get(`${path}?item=99999999999`);
    expect([none.status, none.body.error]).toEqual([
      404,
      expect.stringContaining('has no item 99999999999; its list has 250, from 0'),
    ]);
  });

  it('returns what the attempts of in-process work were given and gave back', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO, { text: 'hello' });
    await it.runtime.settled('default', id);
    const { status, body } = await it.get(`/executions/${id}/nodes/echo`);
    expect([status, body]).toMatchObject([
      200,
      {
        execution_id: id,
        node_id: 'echo',
        kind: 'tool',
        status: 'done',
        visits_total: 1,
        visits: [
          {
            activation: 1,
            status: 'done',
            taken: ['end'],
            attempts: [
              { attempt: 0, status: 'done', input: { text: 'hello' }, output: { text: 'hello' }, worker_id: it.runtime.id },
            ],
          },
        ],
      },
    ]);
  });

  it('returns the failed and the running attempt of an external worker, with what it used', async () => {
    const it = await api();
    const retries = { ...EXTERNAL.nodes.work, retry_policy: { max_attempts: 2, backoff: 'fixed', initial_delay_ms: 0 } };
    const id = await it.started({ ...EXTERNAL, nodes: { work: retries } }, { n: 1 });
    const claim = async () =>
      (await it.post('/work-items/claim', { worker_id: 'w-1', queue_types: ['python_tool'] })).body.work_item;
    const { id: item, lease_fence } = await claim();
    await it.post(`/work-items/${item}/fail`, { error: 'boom', error_class: 'io_error', input_tokens: 12, lease_fence });
    it.clock.advance(1_000);
    await claim();
    const { body } = await it.get(`/executions/${id}/nodes/work`);
    expect(detail(body).visits).toMatchObject([
      {
        status: 'active',
        attempts: [
          {
            attempt: 0,
            status: 'failed',
            error: 'boom',
            error_class: 'io_error',
            retryable: true,
            usage: { input_tokens: 12 },
            worker_id: 'w-1',
            queue: 'python_tool',
          },
          { attempt: 1, status: 'active', completed_at: null, worker_id: 'w-1' },
        ],
      },
    ]);
  });

  it('returns the last visits of a loop, and earlier ones with `before`', async () => {
    const it = await api({ tools: COUNT });
    const id = await it.started(LOOP, {});
    await it.runtime.settled('default', id);
    const activations = async (query: string) => {
      const { visits, visits_total } = detail((await it.get(`/executions/${id}/nodes/count${query}`)).body);
      return [visits.map(({ activation }) => activation), visits_total];
    };
    expect(await activations('')).toEqual([[1, 2, 3], 3]);
    expect(await activations('?limit=2')).toEqual([[2, 3], 3]);
    expect(await activations('?limit=2&before=2')).toEqual([[1], 3]);
    const { body } = await it.get(`/executions/${id}/nodes/again?limit=1`);
    expect(detail(body).visits).toMatchObject([
      { activation: 3, taken: ['end'], evaluated: [{ target: 'count', condition: 'state.n < 3', value: false }] },
    ]);
  });

  it('leaves older visits out when the reply would have many megabytes', async () => {
    const megabytes = 'x'.repeat(3 * 1024 * 1024);
    const it = await api({ tools: { count: ({ n = 0 }: { readonly n?: number }) => ({ n: n + 1, text: megabytes }) } });
    const id = await it.started(
      { ...LOOP, nodes: { ...LOOP.nodes, count: { kind: { ...LOOP.nodes.count.kind, input_mapping: { n: '{{ state.n }}' } } } } },
      { n: 0 },
    );
    await it.runtime.settled('default', id);
    const { visits, visits_total } = detail((await it.get(`/executions/${id}/nodes/count`)).body);
    expect([visits.map(({ activation }) => activation), visits_total]).toEqual([[2, 3], 3]);
    expect(visits.at(-1)?.attempts[0]?.output).toEqual({ n: 3, text: megabytes });
  });

  it('says that a pause defers a node, and that a node was not reached', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const first = { kind: { type: 'python_fn', module: 'm', function: 'f' } };
    const document = {
      ...ECHO,
      nodes: { first, ...ECHO.nodes },
      edges: [{ from: 'first', to: 'echo' }, ...ECHO.edges],
    };
    const id = await it.started(document);
    expect((await it.get(`/executions/${id}/nodes/echo`)).body).toMatchObject({ status: null, visits: [], visits_total: 0 });
    const { work_item } = (await it.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body;
    await it.post(`/executions/${id}/pause`, {});
    const { id: item, lease_fence } = work_item;
    await it.post(`/work-items/${item}/complete`, { output: {}, lease_fence });
    expect((await it.get(`/executions/${id}/nodes/echo`)).body).toMatchObject({ status: 'held', visits: [] });
  });

  it('returns work that was enqueued beside the workflow', async () => {
    const it = await api();
    const id = await it.started(EXTERNAL);
    await it.post('/work-items', { execution_id: id, node_id: 'work', payload: {} });
    expect((await it.get(`/executions/${id}/nodes/work`)).body).toMatchObject({
      status: 'queued',
      visits: [
        { activation: 1, attempts: [{ queue: 'python_tool' }] },
        { activation: 0, attempts: [{ queue: 'general' }] },
      ],
    });
  });

  it('answers 404 for a node that does not exist, with the most similar id, or all ids', async () => {
    const it = await api();
    const id = await it.started(EXTERNAL);
    const { status, body } = await it.get(`/executions/${id}/nodes/wrok`);
    expect([status, body.error]).toEqual([404, `not found: execution ${id} has no node "wrok"; did you mean "work"?`]);
    const other = await it.get(`/executions/${id}/nodes/something`);
    expect([other.status, other.body.error]).toEqual([
      404,
      `not found: execution ${id} has no node "something"; its nodes: work`,
    ]);
    expect((await it.get(`/executions/${UNKNOWN_EXECUTION}/nodes/work`)).status).toBe(404);
    expect((await it.get(`/executions/${id}/nodes/work?limit=0`)).status).toBe(400);
  });
});
