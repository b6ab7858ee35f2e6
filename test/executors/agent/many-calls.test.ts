import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { readScript } from '../../../src/executors/model/script.ts';
import { TRIES_ALL } from '../../support/properties.ts';
import { replayAll } from '../../support/replay-all.ts';
import { openTestRuntime } from '../../support/runtimes.ts';

const ARGUMENT_CHARS = 1_400;
const MANY = TRIES_ALL ? 1_000 : 300;

/** An agent whose model asks for so many calls at once. Resolves with the bytes that the log and what it refers to have in the end. */
async function logBytes(calls: number): Promise<number> {
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
  await opened.close();
  expect((await replayAll(opened.path)).differing).toEqual([]);
  const database = new Database(opened.path, { readonly: true });
  const bytes = database
    .prepare("SELECT sum(pgsize) FROM dbstat WHERE name IN ('log_entries', 'artifacts')")
    .pluck()
    .get() as number;
  database.close();
  return bytes;
}

describe('the calls of one answer', () => {
  it('add to the log in proportion to their number', async () => {
    const perCall = (await logBytes(50)) / 50;
    // Twice with the turn, as the model wrote it and as it is called, once when it begins, and once as the input of the tool.
    expect(perCall).toBeLessThan(8 * ARGUMENT_CHARS);
    expect((await logBytes(MANY)) / MANY).toBeLessThan(1.1 * perCall);
  });
});
