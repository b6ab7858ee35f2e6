import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { MemoryConnector, MemoryItem } from '../../../src/executors/memory/connector.ts';
import type { ServerRuntimeOptions } from '../../../src/runtime/options.ts';
import type { Caller } from '../../../src/runtime/types/caller.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { databasePath, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const ann: Caller = { tenantId: 'default', actorId: 'ann', actorType: 'human' };
const eve: Caller = { tenantId: 'acme', actorId: 'eve', actorType: 'human' };

function workflow(kind: JsonObject, node: JsonObject = {}): JsonObject {
  return { workflow_id: 'w', version: '1', nodes: { n: { kind, ...node } }, edges: [{ from: 'n', to: 'end' }] };
}

const FIND: JsonObject = { type: 'memory_retrieval', connector_ref: 'docs', query_expr: 'state.question', output_key: 'found' };
const TOOL = workflow({ type: 'tool', tool_ref: 'work', input_mapping: { x: 1 } });

async function ran(it: TestRuntime, document: JsonObject, input: JsonObject = {}, caller = ann) {
  const { workflowId } = await it.runtime.register(caller, document);
  const { executionId } = await it.runtime.start(caller, { workflowId, input });
  return it.runtime.settled(caller.tenantId, executionId);
}

/** Runs the tool once, and gives what it returned or how it failed. */
async function tool(work: (context: ToolContext) => unknown, options: Partial<ServerRuntimeOptions> = {}) {
  const it = await openTestRuntime({ tools: { work: (_: unknown, context: ToolContext) => work(context) }, ...options });
  const document = {
    ...TOOL,
    nodes: { n: { kind: { ...(TOOL.nodes as { n: { kind: JsonObject } }).n.kind, output_key: 'out' } } },
  };
  const { status, state, error } = await ran(it, { ...document, retry_policies: {} });
  return { it, status, out: (state as JsonObject).out, error };
}

describe('memory_retrieval', () => {
  it('finds what was added, by an expression and by a template, with a filter', async () => {
    const it = await openTestRuntime({});
    await it.runtime.memory.add(ann, 'docs', [
      { id: 'a', text: 'Refunds take 14 days', metadata: { for: 'ann' } },
      { id: 'b', text: 'A refund needs a receipt', metadata: { for: 'bob' } },
      { id: 'c', text: 'We ship abroad' },
    ]);
    const question = { question: 'When is my refund paid?' };
    const both = await ran(it, workflow(FIND), question);
    expect(both).toMatchObject({ status: 'completed' });
    expect((both.state as { found: { id: string }[] }).found.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    const filter = { for: '{{ state.user }}' };
    const one = await ran(it, workflow({ ...FIND, query_expr: 'Q: {{ state.question }}', filter }), { ...question, user: 'bob' });
    expect(one.state).toMatchObject({ found: [{ id: 'b', text: 'A refund needs a receipt', metadata: { for: 'bob' } }] });
    const under = await ran(it, workflow({ ...FIND, output_key: null, connector_ref: 'memory/docs' }), question);
    expect(under.state).toMatchObject({ n: [{ id: expect.any(String) }, { id: expect.any(String) }] });
    const none = await ran(it, workflow({ ...FIND, connector_ref: 'nothing' }), question);
    expect(none.state).toMatchObject({ found: [] });
  });

  it('finds nothing of another tenant', async () => {
    const it = await openTestRuntime({});
    const acme = { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: null, createdAtMs: 0 } as const;
    await it.store.tenants.create(acme, { tenantId: 'default', atMs: 0, actorId: 't', actorType: 'system', request: null });
    await it.runtime.memory.add(ann, 'docs', [{ text: 'refund' }]);
    expect((await ran(it, workflow(FIND), { question: 'refund' }, eve)).state).toMatchObject({ found: [] });
  });

  it('fails, with its reason, when the expression gives no text', async () => {
    const it = await openTestRuntime({});
    const { status, error } = await ran(it, workflow(FIND), {});
    expect([status, error]).toEqual(['failed', 'n: query_expr must give a text, not null']);
  });

  it('asks a connector of the operator, and is cut off at its deadline', async () => {
    const asked: unknown[] = [];
    const qdrant: MemoryConnector = {
      search: async (query, { tenantId, signal }) => {
        asked.push({ ...query, tenantId });
        if (query.query === 'hang')
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return [1, 2, 3].map((n) => ({ id: `${n}`, text: `text ${n}`, score: 1 / n, metadata: {} }));
      },
    };
    const it = await openTestRuntime({ memory: { qdrant } });
    const kind = { ...FIND, connector_ref: 'qdrant/handbook', limit: 2 };
    const { state } = await ran(it, workflow(kind), { question: 'tea' });
    expect(state).toMatchObject({ found: [{ id: '1' }, { id: '2' }] });
    expect(asked).toEqual([{ namespace: 'handbook', query: 'tea', limit: 2, filter: {}, tenantId: 'default' }]);
    const once = { retry_policy: 'no_retry', node_timeout_secs: 5 };
    const { workflowId } = await it.runtime.register(ann, workflow(kind, once));
    const { executionId } = await it.runtime.start(ann, { workflowId, input: { question: 'hang' } });
    const hung = it.runtime.settled('default', executionId);
    while (asked.length < 2) await new Promise(setImmediate);
    it.clock.advance(5_000);
    expect(await hung).toMatchObject({ status: 'failed', error: 'n: timed out after 5 s' });
  });

  it('names the connectors when there is none of that name', async () => {
    const it = await openTestRuntime({ memory: { qdrant: { search: async () => [] } } });
    const { error } = await ran(it, workflow({ ...FIND, connector_ref: 'pinecone/x' }), { question: 'tea' });
    expect(error).toBe('n: there is no memory connector "pinecone"; known: memory, qdrant');
  });

  it('retries a connector that fails, and gives up when it sends nonsense', async () => {
    let calls = 0;
    const flaky: MemoryConnector = {
      search: async () => {
        calls += 1;
        if (calls === 1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
        return [];
      },
    };
    const nonsense = { search: async () => 'nonsense' } as unknown as MemoryConnector;
    const it = await openTestRuntime({ memory: { flaky, nonsense } });
    const policies = { retry_policies: { now: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0 } } };
    const named = (connector_ref: string) => ({ ...workflow({ ...FIND, connector_ref }, { retry_policy: 'now' }), ...policies });
    expect(await ran(it, named('flaky'), { question: 'tea' })).toMatchObject({ status: 'completed', state: { found: [] } });
    const { error } = await ran(it, named('nonsense'), { question: 'tea' });
    expect(error).toBe('n: the memory connector must give a list of results');
  });
});

describe('the memory of a tool', () => {
  it('is the same for every execution, and a repeated attempt stores nothing twice', async () => {
    const { it, out } = await tool(async ({ memory }) => {
      await memory.add('notes', { text: 'tea is out' });
      const [id] = await memory.add('notes', { text: 'tea is out' });
      await memory.add('notes', { id: 'x', text: 'coffee' });
      const removed = [await memory.remove('notes', 'x'), await memory.remove('notes', 'x')];
      return { id, removed, found: await memory.search('notes', 'teas') };
    });
    expect(out).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      removed: [1, 0],
      found: [{ id: (out as JsonObject).id, text: 'tea is out', score: expect.any(Number), metadata: {} }],
    });
    expect(await it.runtime.memory.items('default', 'notes')).toMatchObject({ items: [{ text: 'tea is out' }], next: null });
    const { entries } = await it.store.audit.find('default', { type: 'memory_stored' }, { limit: 9, offset: 0, after: null });
    for await (const { actorId, data } of entries) {
      expect(actorId).toBe('ann');
      expect(data).toMatchObject({ namespace: 'notes', execution_id: expect.stringMatching(/^exec_/), node_id: 'n' });
    }
  });

  it('writes to a connector that takes it, and says which does not', async () => {
    const stored: (readonly MemoryItem[])[] = [];
    const full: MemoryConnector = {
      search: async () => [],
      add: async (_namespace, items) => {
        stored.push(items);
        return items.map((_, n) => `${n}`);
      },
      remove: async () => 3,
    };
    const memory = { full, reading: { search: async () => [] } };
    const wrote = await tool(
      async (context) => [await context.memory.add('full/a', { text: 't' }), await context.memory.remove('full')],
      {
        memory,
      },
    );
    expect([wrote.out, stored]).toEqual([[['0'], 3], [[{ text: 't' }]]]);
    const refused = await tool((context) => context.memory.add('reading', { text: 't' }), { memory });
    expect(refused).toMatchObject({ status: 'failed', error: 'n: the memory connector "reading" can only be read' });
  });

  it.each([
    [{ text: '' }, 'text must be a text that is not empty'],
    [{ text: 'x'.repeat(64 * 1024 + 1) }, 'text is larger than 64 KiB'],
    [{ text: 'a\0b' }, 'text has a NUL character'],
    [{ text: 'a\ud800' }, 'text has text that is not valid Unicode'],
    [{ text: 'a', metadata: { k: 'x'.repeat(9_000) } }, 'metadata is larger than 8 KiB'],
    [{ text: 'a', metadata: { k: '\0' } }, 'metadata has a NUL character'],
    [{ text: 'a', id: '' }, 'id must be a text of 1 to 256 characters'],
    [{ text: 'a', ttlSecs: 0 }, 'the time to live must be a number of seconds'],
  ])('refuses %j for good', async (item, message) => {
    const { status, error } = await tool(({ memory }) => memory.add('notes', item));
    expect([status, error]).toEqual(['failed', expect.stringContaining(message)]);
  });

  it('takes a text with a backslash before u0000', async () => {
    const { out } = await tool(async ({ memory }) => {
      await memory.add('notes', { text: 'tea \\u0000', metadata: { path: 'C:\\u0000' } });
      return memory.search('notes', 'tea');
    });
    expect(out).toMatchObject([{ text: 'tea \\u0000', metadata: { path: 'C:\\u0000' } }]);
  });
});

describe('the memory of a runtime', () => {
  it('survives it', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path });
    await first.runtime.memory.add(ann, 'docs', [{ id: 'a', text: 'tea' }]);
    await first.close();
    const second = await openTestRuntime({ path });
    expect(await second.runtime.memory.search('default', 'docs', 'tea')).toMatchObject({ results: [{ id: 'a' }] });
  });

  it('forgets items whose time is over', async () => {
    const it = await openTestRuntime({});
    await it.runtime.memory.add(ann, 'docs', [
      { id: 'a', text: 'tea', ttlSecs: 60 },
      { id: 'b', text: 'tea' },
    ]);
    it.clock.advance(60_000);
    expect(await it.runtime.memory.search('default', 'docs', 'tea')).toMatchObject({ results: [{ id: 'b' }] });
    expect(await it.runtime.memory.removeExpired()).toBe(1);
    expect(await it.runtime.memory.namespaces('default')).toMatchObject([{ name: 'docs', items: 1 }]);
  });

  it('refuses writes of a tenant that is not active, and removals of what is not there', async () => {
    const it = await openTestRuntime({});
    const acme = { id: 'acme', name: 'Acme', status: 'suspended', policy: null, limits: null, createdAtMs: 0 } as const;
    await it.store.tenants.create(acme, { tenantId: 'default', atMs: 0, actorId: 't', actorType: 'system', request: null });
    await expect(it.runtime.memory.add(eve, 'docs', [{ text: 'tea' }])).rejects.toMatchObject({ code: 'tenant_not_active' });
    await expect(it.runtime.memory.remove(ann, 'docs', 'a')).rejects.toMatchObject({ code: 'not_found' });
    await expect(it.runtime.memory.remove(ann, 'docs')).rejects.toMatchObject({ code: 'not_found' });
    await expect(it.runtime.memory.add(ann, 'a/b', [{ text: 'tea' }])).rejects.toMatchObject({ code: 'bad_request' });
  });
});
