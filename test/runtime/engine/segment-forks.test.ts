import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const ANN = { ...CALLER, actorId: 'ann' };
const BOB = { ...CALLER, actorId: 'bob' };

/** A segment ends after two rounds. */
const chat: JsonObject = {
  workflow_id: 'chat',
  version: '1',
  start_node: 'ask',
  labels: { team: 'a' },
  continue_as_new: { after_steps: 4, at: 'ask' },
  nodes: {
    ask: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'said', output_key: 'said' } },
    note: { kind: { type: 'tool', tool_ref: 'note' } },
  },
  edges: [
    { from: 'ask', to: 'note' },
    { from: 'note', to: 'ask' },
  ],
};

async function openChat(path?: string) {
  const starters: string[] = [];
  const note = (_input: unknown, { startedBy }: { readonly startedBy: { readonly actorId: string } }) => {
    starters.push(startedBy.actorId);
    return {};
  };
  return { bench: await openTestRuntime({ tools: { note }, ...(path === undefined ? {} : { path }) }), starters };
}

/** Says the texts one after the other; resolves to the chain. */
async function say({ runtime }: TestRuntime, id: string, ...texts: readonly string[]): Promise<readonly string[]> {
  const chain = [id];
  for (const text of texts) {
    const { executionId } = await runtime.sendEvent(CALLER, id, { key: 'said', payload: text });
    const current = executionId ?? id;
    await eventually(async () => {
      const { status, nextExecutionId } = await runtime.execution('default', current);
      if (nextExecutionId !== null) chain.push(nextExecutionId);
      return status !== 'running';
    });
  }
  return chain;
}

async function startChat(bench: TestRuntime): Promise<string> {
  await bench.runtime.register(CALLER, chat);
  return (await bench.runtime.start(ANN, { workflowId: 'chat', input: {} })).executionId;
}

async function forkOf({ runtime }: TestRuntime, id: string, atSequence: number): Promise<string> {
  return (await runtime.fork(BOB, id, { atSequence })).executionId ?? '';
}

describe('a fork of a segment', () => {
  it('begins a chain of its own, whose segments are no forks', async () => {
    const { bench } = await openChat();
    const { runtime, log } = bench;
    const [first = '', second = '', third = ''] = await say(bench, await startChat(bench), 'a', 'b', 'c', 'd', 'e');
    for (const [origin, last] of [
      [first, 'b'],
      [second, 'd'],
    ] as const) {
      const fork = await forkOf(bench, origin, 2);
      const chain = await say(bench, fork, 'x', last, 'y');
      expect(chain).toHaveLength(2);
      const [, next = ''] = chain;
      expect(await runtime.execution('default', fork)).toMatchObject({
        segment: 0,
        previousExecutionId: null,
        firstExecutionId: null,
        nextExecutionId: next,
        forkedFrom: { executionId: origin, sequence: 2 },
        labels: { team: 'a', 'jamjet.fork.of': origin, 'jamjet.fork.at': '2' },
      });
      expect((await log(fork)).at(-1)?.data).toMatchObject({ segment_number: 0, next_execution_id: next });
      const view = await runtime.execution('default', next);
      expect(view).toMatchObject({ segment: 1, previousExecutionId: fork, forkedFrom: null, state: { said: 'y' } });
      expect(view.labels).toEqual({
        team: 'a',
        'jamjet.segment': '1',
        'jamjet.segment.after': fork,
        'jamjet.segment.first': fork,
      });
      for (const id of chain) expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
      const labels = [{ key: 'jamjet.fork.of', value: origin }];
      const { executions } = await runtime.executions('default', { limit: 9, offset: 0, labels });
      expect(executions.map(({ executionId }) => executionId)).toEqual([fork]);
    }
    expect(await runtime.execution('default', first)).toMatchObject({ currentExecutionId: third });
    expect(await runtime.execution('default', third)).toMatchObject({ status: 'paused', segment: 2, state: { said: 'e' } });
  });

  it('names the node with which the segment begins, when another version lacks it', async () => {
    const { bench } = await openChat();
    const [, second = ''] = await say(bench, await startChat(bench), 'a', 'b');
    const { ask, note } = chat.nodes as { ask: JsonObject; note: JsonObject };
    await bench.runtime.register(CALLER, {
      ...chat,
      version: '2',
      start_node: 'hear',
      continue_as_new: { after_steps: 4, at: 'hear' },
      nodes: { hear: ask, note },
      edges: [
        { from: 'hear', to: 'note' },
        { from: 'note', to: 'hear' },
      ],
    });
    const checked = await bench.runtime.fork(BOB, second, { atSequence: 2, workflowVersion: '2', dryRun: true });
    expect(checked.mismatch).toEqual({
      sequence: 1,
      type: 'workflow_started',
      nodeId: 'ask',
      problem: 'event 1: workflow_started of node ask, which this version does not have',
    });
  });
});

describe('a segment', () => {
  it('says who started the chain, also when the first one has been removed', async () => {
    const { bench } = await openChat();
    const { store, clock, path } = bench;
    const id = await startChat(bench);
    const [, second = ''] = await say(bench, id, 'a', 'b', 'c');
    const fork = await forkOf(bench, second, 2);
    const [, next = ''] = await say(bench, fork, 'x', 'y');
    const context = { tenantId: 'default', atMs: clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
    const { removed } = await store.retention.remove({ after: null, endedBeforeMs: clock.nowMs() + 1 }, context);
    expect(removed).toEqual([id, fork]);
    await bench.close();
    const { bench: after, starters } = await openChat(path);
    await say(after, second, 'd');
    await say(after, next, 'z');
    expect(starters).toEqual(['ann', 'bob']);
  });

  it('that has continued is refused a retry, which names the current one', async () => {
    const { bench } = await openChat();
    const id = await startChat(bench);
    const [, second = '', third = ''] = await say(bench, id, 'a', 'b', 'c', 'd');
    await expect(bench.runtime.retry(CALLER, id)).rejects.toMatchObject({
      code: 'conflict',
      message: `execution ${id} has ended: limit_exceeded, continued as ${second}, now ${third}`,
    });
  });
});
