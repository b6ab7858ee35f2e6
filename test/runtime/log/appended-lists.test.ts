import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { patchState } from '../../../machines/json.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

/** A conversation: at each turn, the tool returns all messages and a new one, as agents do. It waits before every tenth turn. */
const CONVERSATION: JsonObject = {
  workflow_id: 'conversation',
  version: '1',
  start_node: 'say',
  nodes: {
    say: { kind: { type: 'tool', tool_ref: 'say', input_mapping: { messages: '{{ state.messages }}' } } },
    rest: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
    gate: { kind: { type: 'condition', branches: [{ condition: 'state.turn % 10 == 0', target: 'rest' }, { target: 'say' }] } },
  },
  edges: [
    { from: 'say', to: 'end', condition: 'state.turn >= state.turns' },
    { from: 'say', to: 'gate' },
    { from: 'rest', to: 'say' },
  ],
};

const message = (turn: number) => ({ role: 'user', content: `message ${turn} `.padEnd(200, 'x') });

const tools: Tools = {
  say: ({ messages }) => {
    const turn = (messages as readonly unknown[]).length;
    // Without what the state shares with it, as a worker's result arrives.
    return JSON.parse(JSON.stringify({ turn, messages: [...(messages as readonly unknown[]), message(turn)] }));
  },
};

const input = (turns: number) => ({ turns, messages: [{ role: 'system', content: 'Be terse. '.repeat(60) }] });
const expected = (turns: number) => [...input(turns).messages, ...Array.from({ length: turns }, (_, i) => message(i + 1))];

async function goOn({ runtime, settled }: TestRuntime, id: string, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await settled(id);
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: {} });
  }
  await settled(id);
}

describe('a list that patches make longer', () => {
  it('is stored as what was added, and given whole to readers of the events', async () => {
    const opened = await openTestRuntime({ tools });
    const id = await opened.run(CONVERSATION, input(39));
    await goOn(opened, id, 3);
    expect(await opened.settled(id)).toMatchObject({ status: 'completed', state: { messages: expected(39) } });

    // A reader that applies the patches comes to the state.
    const log = await opened.log(id);
    const merged = log.reduce<JsonObject>(
      (state, { type, data }) => (type === 'node_completed' ? patchState(state, data.state_patch ?? null) : state),
      input(39),
    );
    expect(merged.messages).toEqual(expected(39));
    expect(log.filter(({ data }) => Object.hasOwn(data, 'appended'))).toEqual([]);
    // One page of it, one node's events, one event.
    const pages = [
      { after: 60, limit: 30 },
      { nodeId: 'say' },
      { type: 'node_completed', after: 80 },
      { after: log.length - 4, limit: 1 },
    ];
    for (const page of pages) {
      const some: unknown[] = [];
      for await (const event of opened.runtime.events('default', id, page)) some.push(event);
      const wanted = log.filter(({ sequence, type, nodeId }) => {
        const isOf = (page.nodeId ?? nodeId) === nodeId && (page.type ?? type) === type;
        return isOf && sequence > (page.after ?? 0);
      });
      expect(some).toEqual(wanted.slice(0, page.limit ?? wanted.length));
    }

    const stored = await opened.store.events(id, { after: 0, limit: 10_000 });
    const bytes = JSON.stringify(stored.rows.map(({ data }) => data)).length;
    // Two copies of the whole list, the messages themselves, and the other events; without this, it would be 39 copies.
    expect(bytes).toBeLessThan(6 * JSON.stringify(expected(39)).length);
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('continues after restarts, is read as it was, and is forked', async () => {
    const opened = await openTestRuntime({ tools });
    const id = await opened.run(CONVERSATION, input(39));
    await goOn(opened, id, 1);
    await opened.close();
    const again = await openTestRuntime({ tools, path: opened.path });
    await goOn(again, id, 2);
    const { sequence, state } = await again.settled(id);
    expect(state.messages).toEqual(expected(39));

    const log = await again.log(id);
    // The last event of the step in which the 25th message was added.
    const middle = log.filter(({ type, nodeId }) => type === 'node_started' && nodeId === 'say')[25]?.sequence ?? 0;
    const then = await again.runtime.stateAt('default', id, middle);
    expect(then.state).toMatchObject({ turn: 25, messages: expected(25) });

    const { executionId } = await again.runtime.fork(CALLER, id, { atSequence: middle, statePatch: { turns: 28 } });
    expect(await again.settled(executionId ?? '')).toMatchObject({ status: 'completed', state: { messages: expected(28) } });
    const forked = (await again.log(executionId ?? '')).filter(
      ({ nodeId, type }) => nodeId === 'say' && type === 'node_completed',
    );
    expect(forked.at(-1)?.data.state_patch).toMatchObject({ messages: expected(28) });
    expect(sequence).toBe(log.length);
    await again.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });
});
