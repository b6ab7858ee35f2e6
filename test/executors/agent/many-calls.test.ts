import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { partAt, withWholeLists } from '../../../machines/appended-lists.ts';
import { type Json, patchState } from '../../../machines/json.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import type { EventView } from '../../../src/runtime/types/executions.ts';
import { TRIES_ALL } from '../../support/properties.ts';
import { replayAll } from '../../support/replay-all.ts';
import { openTestRuntime } from '../../support/runtimes.ts';

const ARGUMENT_CHARS = 1_400;
const MANY = TRIES_ALL ? 1_000 : 300;

/**
 * An agent whose model asks for so many calls at once. Resolves with the bytes that the log and what it refers to have in the end, and with its events as
 * readers get them.
 */
async function runCalls(calls: number): Promise<{ stored: number; events: readonly EventView[] }> {
  const noted: unknown[] = [];
  const tools = Array.from({ length: calls }, (_, i) => ({ name: 'note', arguments: { i, text: 'x'.repeat(ARGUMENT_CHARS) } }));
  const opened = await openTestRuntime({
    models: { script: readScript([{ tools }, 'Done.']) },
    tools: { note: ({ i }) => `noted ${noted.push(i)}` },
  });
  const agent = { type: 'agent', model_ref: 'gpt-4o', prompt: 'Note it.', tools: ['note'], max_calls_per_answer: 1_024 };
  const id = await opened.run({ workflow_id: 'w', version: '1', start_node: 'a', nodes: { a: { kind: agent } }, edges: [] });
  expect((await opened.runtime.settled('default', id, 200_000)).status).toBe('completed');
  expect(noted).toEqual(tools.map((_, i) => i));
  const events = await opened.log(id);
  await opened.close();
  expect((await replayAll(opened.path)).differing).toEqual([]);
  const database = new Database(opened.path, { readonly: true });
  const stored = database
    .prepare("SELECT sum(pgsize) FROM dbstat WHERE name IN ('log_entries', 'artifacts')")
    .pluck()
    .get() as number;
  database.close();
  return { stored, events };
}

const sizeOf = (events: readonly EventView[]) => events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);

describe('the calls of one answer', () => {
  it('add to the log, and to what readers get of it, in proportion to their number', async () => {
    const few = await runCalls(50);
    const many = await runCalls(MANY);
    // Twice with the turn, as the model wrote it and as it is called, once when it begins, and once as the input of the tool.
    expect(few.stored / 50).toBeLessThan(8 * ARGUMENT_CHARS);
    expect(many.stored / MANY).toBeLessThan(1.1 * (few.stored / 50));
    expect(sizeOf(few.events) / 50).toBeLessThan(8 * ARGUMENT_CHARS);
    expect(sizeOf(many.events) / MANY).toBeLessThan(1.1 * (sizeOf(few.events) / 50));
  });

  it('are given to readers with what the turn adds to the conversation, and what goes before it by reference', async () => {
    const { events } = await runCalls(3);
    const turns = events.filter(({ type, nodeId }) => type === 'node_completed' && nodeId === 'a');
    expect(turns.map(({ data }) => data.appended)).toEqual([
      undefined,
      undefined,
      ...[3, 4].map((kept) => ({ '/a_conversation/messages': { kept, since: turns[1]?.sequence } })),
    ]);
    expect(turns[2]?.data.state_patch).toMatchObject({
      a_conversation: { messages: [{ role: 'tool', content: 'noted 2' }], waiting: 0 },
    });
    let state: Json = {};
    for (const { data } of turns) {
      const before = state;
      state = patchState(state, withWholeLists(data, (path) => partAt(before, path)).state_patch ?? null);
    }
    expect(events.at(-1)?.data.final_state).toEqual(state);
  });
});
