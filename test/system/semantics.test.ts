import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sharedServer, startServer as startHere } from '../support/in-process-server.ts';
import { ir, python, tool } from '../support/ir.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { claim, eventually, refusal, run, settled, timeline } from './recorded-calls.ts';

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const server = sharedServer({ tools, replays: true });
const logs = temporaryFolder();
const approval = { type: 'human_approval', description: 'Go on?' };

/** Reads the database directly, while no server runs. */
function anHourPasses(file: string): void {
  const db = new Database(file);
  db.exec('UPDATE executions SET deadline_at_ms = deadline_at_ms - 3600000');
  db.close();
}

describe('an execution', () => {
  it('continues through a join with a skipped source', async () => {
    const { client } = server();
    const document = ir(
      'skipped-source',
      {
        split: { type: 'parallel', branches: ['a', 'gate'] },
        a: tool('echo', { input_mapping: { from: 'a' }, output_key: 'a' }),
        gate: {
          type: 'condition',
          branches: [
            { condition: 'state.n > 10', target: 'b' },
            { condition: null, target: 'c' },
          ],
        },
        b: tool('echo', { input_mapping: { from: 'b' } }),
        c: tool('echo', { input_mapping: { from: 'c' }, output_key: 'c' }),
        merge: { type: 'join', wait_for: ['a', 'b', 'c'], merge_strategy: 'collect', output_key: 'merged' },
      },
      [
        ['a', 'merge'],
        ['b', 'merge'],
        ['c', 'merge'],
        ['merge', 'end'],
      ],
    );
    const id = await run(client, document, { n: 1 });
    const { status, state } = await settled(client, id);
    expect(status).toBe('completed');
    expect(state).toMatchObject({
      merged: { outputs: [{ from: 'a' }, null, { from: 'c' }], by_source: { a: { from: 'a' }, c: { from: 'c' } } },
    });
    const lines = await timeline(client, id);
    expect(lines).toContain('node_skipped b');
    expect(lines.filter((line) => line === 'node_completed merge')).toHaveLength(1);
  });

  it('runs three iterations of a loop, each as a new activation', async () => {
    const { client } = server();
    const document = ir(
      'three-rounds',
      {
        step: tool('count'),
        again: {
          type: 'condition',
          branches: [
            { condition: 'state.n < 3', target: 'step' },
            { condition: null, target: 'done' },
          ],
        },
        done: tool('echo', { input_mapping: { finished: true } }),
      },
      [
        ['step', 'again'],
        ['done', 'end'],
      ],
    );
    const id = await run(client, document);
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { n: 3, finished: true }, steps_executed: 7 });
    const completed = (await client.events(id)).filter(({ type, node_id }) => type === 'node_completed' && node_id === 'step');
    expect(completed.map(({ data }) => data.activation)).toEqual([1, 2, 3]);
  });

  it('completes a first join with the first branch, and cancels the others, wherever they run', async () => {
    const { client } = server();
    const log = join(logs, 'first-wins');
    const document = ir(
      'first-wins',
      {
        split: { type: 'parallel', branches: ['here', 'away', 'human', 'winner'] },
        here: tool('patient'),
        away: python('away'),
        human: approval,
        winner: python('winner', { output_key: 'won' }),
        first: { type: 'join', wait_for: ['here', 'away', 'human', 'winner'], merge_strategy: 'first', output_key: 'result' },
        after: tool('echo', { input_mapping: { after: true } }),
      },
      [
        ['here', 'first'],
        ['away', 'first'],
        ['human', 'first'],
        ['winner', 'first'],
        ['first', 'after'],
        ['after', 'end'],
      ],
    );
    const id = await run(client, document, { log });
    const items = [await claim(client, 'python_tool'), await claim(client, 'python_tool')];
    const item = (node: string) => items.find(({ node_id }) => node_id === node) ?? expect.fail(`no item for ${node}`);
    await eventually(() => existsSync(log), 'the in-process sibling begins');
    const winner = item('winner');
    await client.completeWork(winner.id, { output: { fast: true }, lease_fence: winner.lease_fence });
    expect(await settled(client, id)).toMatchObject({
      status: 'completed',
      state: { won: { fast: true }, result: { fast: true }, after: true },
    });
    await eventually(() => readFileSync(log, 'utf8').includes('here aborted'), 'the in-process sibling sees its AbortSignal');
    const away = item('away');
    const late = await refusal(client.completeWork(away.id, { output: { late: true }, lease_fence: away.lease_fence }));
    expect(late).toMatchObject({
      status: 409,
      body: { completed: false, reason: expect.any(String), error: expect.any(String) },
    });
    expect((await client.approvals(id)).pending).toEqual([]);
    const lines = await timeline(client, id);
    for (const node of ['here', 'away', 'human']) expect(lines).toContain(`node_cancelled ${node}`);
    expect(lines.at(-1)).toBe('workflow_completed');
  });

  it('retries a subgraph that failed with a new child', async () => {
    const { client } = server();
    await client.registerWorkflow(ir('child', { only: tool('failsOnce') }, [['only', 'end']]));
    const document = ir(
      'parent',
      {
        sub: {
          type: 'subgraph',
          workflow_ref: 'child',
          input_mapping: { log: 'state.log' },
          output_mapping: { ok: 'state.succeeded' },
        },
      },
      [['sub', 'end']],
      {
        retry_policies: {
          twice: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] },
        },
      },
    );
    const id = await run(
      client,
      { ...document, nodes: { sub: { ...(document.nodes as { sub: object }).sub, retry_policy: 'twice' } } },
      {
        log: join(logs, 'subgraph'),
      },
    );
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect(await timeline(client, id)).toEqual([
      'workflow_started',
      'node_started sub',
      'child_workflow_started sub',
      'child_workflow_failed sub',
      'node_failed sub',
      'retry_scheduled sub',
      'node_started sub',
      'child_workflow_started sub',
      'child_workflow_completed sub',
      'node_completed sub',
      'workflow_completed',
    ]);
    const { executions } = await client.executions({ parent_execution_id: id });
    expect(executions.map(({ status }) => status)).toEqual(['completed', 'failed']);
  });

  it('is cancelled by its timeout although it was paused and the server was down', async () => {
    const folder = temporaryFolder(onTestFinished);
    const before = await startServer({ folder });
    const document = ir('patience', { review: approval }, [['review', 'end']], { timeouts: { workflow_timeout: 3_600 } });
    const id = await run(before.client, document);
    expect(await settled(before.client, id)).toMatchObject({ status: 'paused' });
    await before.kill();
    anHourPasses(join(folder, 'runtime.db'));
    const after = await startHere({ folder });
    await eventually(async () => (await after.client.execution(id)).status === 'cancelled', 'the timeout is noticed');
    expect(await after.client.execution(id)).toMatchObject({ error: 'workflow timeout' });
    expect(await timeline(after.client, id)).toEqual([
      'workflow_started',
      'node_started review',
      'interrupt_raised review',
      'node_cancelled review',
      'workflow_cancelled',
    ]);
    expect(await refusal(after.client.approve(id, { decision: 'approved' }))).toMatchObject({ status: 409 });
  });
});
