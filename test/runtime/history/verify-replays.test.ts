import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type ReplayCheck, verifyReplays } from '../../../src/runtime/history/verify-replays.ts';
import type { StoredEvent } from '../../../store/log/stored-event.ts';
import { editLog } from '../../support/edit-log.ts';
import { ir, tool } from '../../support/ir.ts';
import { openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const BIG = { text: 'x'.repeat(20_000) };
const APPROVAL = { type: 'human_approval', description: 'Go on?' };

async function checks(bench: TestRuntime, options = { all: false }): Promise<readonly ReplayCheck[]> {
  const found: ReplayCheck[] = [];
  for await (const one of verifyReplays(bench.store, options)) found.push(one);
  return found;
}

/** An ended execution, and a waiting one with a large output in its log. */
async function twoExecutions(): Promise<{ bench: TestRuntime; ended: string; waiting: string }> {
  const bench = await openTestRuntime({ tools: { big: () => BIG }, checkpointLogBytes: 0 });
  const ended = await bench.run(ir('short', { a: tool('big') }, [['a', 'end']]));
  await bench.settled(ended);
  const nodes = { a: tool('big', { output_key: 'found' }), b: APPROVAL };
  const waiting = await bench.run(
    ir('long', nodes, [
      ['a', 'b'],
      ['b', 'end'],
    ]),
  );
  await bench.settled(waiting);
  return { bench, ended, waiting };
}

function sql(bench: TestRuntime, statement: string): void {
  const db = new Database(bench.path);
  db.exec(statement);
  db.close();
}

describe('replaying every execution', () => {
  it('checks live executions, or all of them with "all"', async () => {
    const { bench, ended, waiting } = await twoExecutions();
    expect(await checks(bench)).toEqual([{ tenantId: 'default', executionId: waiting, workflowId: 'long', difference: null }]);
    const all = await checks(bench, { all: true });
    expect(all.map((one) => [one.executionId, one.difference])).toEqual([
      [waiting, null],
      [ended, null],
    ]);
  });

  it.each([
    [
      'a snapshot that was changed',
      `UPDATE checkpoints SET snapshot = replace(snapshot, '"at"', '"at" ')`,
      /snapshot stored at sequence \d+/,
    ],
    ['a snapshot that cannot be read', "UPDATE checkpoints SET snapshot = 'x'", /snapshot stored at sequence \d+/],
    [
      'a status that differs from the log',
      "UPDATE executions SET status = 'running' WHERE status = 'paused'",
      /^status is "running"; the replayed log gives "paused"$/,
    ],
    ['a wrong number of steps', 'UPDATE executions SET steps = steps + 1', /^steps is 2; the replayed log gives 1$/],
    ['a missing output', 'DELETE FROM artifact_refs; DELETE FROM artifacts', /artifact .* not found in the store/],
  ])('finds %s', async (_what, statement, difference) => {
    const { bench } = await twoExecutions();
    sql(bench, statement);
    expect(await checks(bench)).toEqual([expect.objectContaining({ difference: expect.stringMatching(difference) })]);
  });

  it.each<[string, (event: StoredEvent) => StoredEvent | null, RegExp]>([
    ['a missing event', (event) => (event.seq === 3 ? null : event), /lacks events between 0 and/],
    [
      'an event that was changed',
      (event) => (event.type === 'node_completed' ? { ...event, nodeId: 'z' } : event),
      /tool_call_completed without node_completed/,
    ],
  ])('finds %s', async (_what, edit, difference) => {
    const { bench, waiting } = await twoExecutions();
    editLog(bench.path, waiting, edit);
    expect(await checks(bench)).toEqual([expect.objectContaining({ difference: expect.stringMatching(difference) })]);
  });

  it('ignores a snapshot of another compiler version', async () => {
    const { bench } = await twoExecutions();
    sql(bench, `UPDATE checkpoints SET snapshot = '{"version":0,"at":[]}'`);
    expect(await checks(bench)).toEqual([expect.objectContaining({ difference: null })]);
  });
});
