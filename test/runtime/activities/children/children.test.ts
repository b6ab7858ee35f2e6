import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../../store/port/errors.ts';
import { SEND } from '../../../../store/sqlite/queries/log.ts';
import { editLog } from '../../../support/edit-log.ts';
import { CALLER, eventually, openTestRuntime } from '../../../support/runtimes.ts';
import { withOverrides } from '../../../support/stores.ts';

const parent = (more: object = {}) =>
  ({
    workflow_id: 'parent',
    version: '1',
    nodes: {
      child: {
        kind: { type: 'subgraph', workflow_ref: 'child', input_mapping: { n: 'state.n' }, output_mapping: { answer: 'state.m' } },
        ...more,
      },
    },
    edges: [],
    retry_policies: {
      quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] },
    },
  }) as never;
const childTool = {
  workflow_id: 'child',
  version: '1',
  nodes: { work: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'no_retry' } },
  edges: [],
} as never;
const childAsks = {
  workflow_id: 'child',
  version: '1',
  nodes: { ask: { kind: { type: 'human_approval', description: '?' } } },
  edges: [],
} as never;

describe('a subgraph', () => {
  it('runs as a child execution and returns its result', async () => {
    const { run, runtime, settled, timeline } = await openTestRuntime({
      tools: { work: (input: { n: number }) => ({ m: input.n * 10 }) },
    });
    await runtime.register(CALLER, childTool);
    const id = await run(parent(), { n: 4 });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { n: 4, answer: 40 } });
    const [child] = (await runtime.executions('default', { parentId: id, limit: 10, offset: 0 })).executions;
    expect(child).toMatchObject({ parentExecutionId: id, workflowId: 'child', status: 'completed' });
    expect(await timeline(id)).toEqual([
      'workflow_started',
      'node_started child',
      'child_workflow_started child',
      'child_workflow_completed child',
      'node_completed child',
      'workflow_completed',
    ]);
  });

  it('gets the result of its child although the database could not be read at first', async () => {
    const { run, runtime, store, settled, clock, errors } = await openTestRuntime({ tools: { work: () => ({ m: 1 }) } });
    await runtime.register(CALLER, childTool);
    const unreachable = new StoreError('store_unavailable', 'the database is unreachable');
    const { inbox } = store;
    store.inbox = () => {
      store.inbox = inbox;
      return Promise.reject(unreachable);
    };
    const id = await run(parent());
    await eventually(() => errors.length === 1);
    clock.advance(1_000);
    expect((await settled(id)).status).toBe('completed');
    expect(errors).toEqual([unreachable]);
  });

  it('is paused while its child is, and continues with it', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    await runtime.register(CALLER, childAsks);
    const id = await run(parent());
    await eventually(async () => (await runtime.execution('default', id)).status === 'paused');
    const [child] = (await runtime.executions('default', { parentId: id, limit: 1, offset: 0 })).executions;
    await runtime.approve(CALLER, child?.executionId ?? '', { decision: 'approved' });
    await eventually(async () => (await runtime.execution('default', id)).status === 'completed');
    expect((await settled(id)).error).toBeNull();
  });

  it('is retried when its child fails', async () => {
    let calls = 0;
    const { run, runtime, settled } = await openTestRuntime({
      tools: {
        work: () => {
          calls += 1;
          if (calls === 1) throw new Error('first time');
          return { m: 1 };
        },
      },
    });
    await runtime.register(CALLER, childTool);
    const id = await run(parent({ retry_policy: 'quick' }), { n: 1 });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { answer: 1 } });
    expect((await runtime.executions('default', { parentId: id, limit: 10, offset: 0 })).executions).toHaveLength(2);
  });

  it('fails without retry when the workflow is not registered', async () => {
    const { run, settled } = await openTestRuntime();
    const view = await settled(await run(parent({ retry_policy: 'quick' })));
    expect(view).toMatchObject({ status: 'failed' });
    expect(view.error).toContain('child');
  });

  it('fails without retry when a defect keeps its child from starting, which is reported', async () => {
    const { run, runtime, settled, store, errors } = await openTestRuntime();
    await runtime.register(CALLER, childAsks);
    const tenant = store.tenant.bind(store);
    const defect = new TypeError('a defect');
    store.tenant = (id) =>
      withOverrides(tenant(id), {
        revisionOf: (name, version) => (name === 'child' ? Promise.reject(defect) : tenant(id).revisionOf(name, version)),
      });
    expect(await settled(await run(parent({ retry_policy: 'quick' })))).toMatchObject({
      status: 'failed',
      error: 'child: a defect',
    });
    expect(errors).toEqual([defect]);
  });

  it('fails without retry when its mapping exceeds the evaluation budget', async () => {
    const { run, runtime, log, settled } = await openTestRuntime();
    await runtime.register(CALLER, childAsks);
    const mapping = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, `{{ len(state.s.split('a')) + ${i} }}`]));
    const kind = { type: 'subgraph', workflow_ref: 'child', input_mapping: mapping };
    const id = await run(parent({ kind, retry_policy: 'quick' }), { s: 'a'.repeat(300_000) });
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).filter(({ type }) => type === 'node_failed')).toMatchObject([
      { data: { error_class: 'expression_budget_exceeded', retryable: false } },
    ]);
  });

  it('fails when its child ended while its log cannot be read', async () => {
    const before = await openTestRuntime();
    await before.runtime.register(CALLER, childAsks);
    const id = await before.run(parent({ retry_policy: 'no_retry' }));
    await eventually(async () => (await before.runtime.execution('default', id)).status === 'paused');
    const [child] = (await before.runtime.executions('default', { parentId: id, limit: 1, offset: 0 })).executions;
    const childId = child?.executionId ?? '';
    await before.close();
    editLog(before.path, childId, (event) => (event.seq === 2 ? { ...event, type: 'node_failed' } : event));
    const db = new Database(before.path);
    db.exec('DELETE FROM checkpoints');
    db.prepare(SEND).run('default', id, JSON.stringify({ type: 'child_status', childId, status: 'completed' }));
    db.close();
    const { runtime } = await openTestRuntime({ path: before.path, clock: before.clock });
    await eventually(async () => (await runtime.execution('default', id)).status === 'failed');
    expect((await runtime.execution('default', id)).error).toContain('cannot be replayed');
  });

  it('cancels its child when it is cancelled', async () => {
    const { run, runtime } = await openTestRuntime();
    await runtime.register(CALLER, childAsks);
    const id = await run(parent());
    await eventually(async () => (await runtime.execution('default', id)).status === 'paused');
    await runtime.cancel(CALLER, id);
    const [child] = (await runtime.executions('default', { parentId: id, limit: 1, offset: 0 })).executions;
    await eventually(async () => (await runtime.execution('default', child?.executionId ?? '')).status === 'cancelled');
  });

  it('ends an endless recursion', async () => {
    const { run, settled } = await openTestRuntime();
    const self = {
      workflow_id: 'self',
      version: '1',
      nodes: { again: { kind: { type: 'subgraph', workflow_ref: 'self' }, retry_policy: 'no_retry' } },
      edges: [],
    } as never;
    const view = await settled(await run(self));
    expect(view.status).toBe('failed');
    expect(view.error).toContain('again');
  });
});
