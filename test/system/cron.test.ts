import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { startServer as startHere } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { replayAll } from '../support/replay-all.ts';
import { launchServer, startServer, temporaryFolder } from '../support/server.ts';

const MINUTE = 60_000;
const MISSED = 200;
const KILLS = TRIES_ALL ? 4 : 2;

/** Waits for an event that is never sent, so that the execution of every run stays as it was started. */
const WAITING = ir('waiting', { wait: { type: 'wait', condition: 'external_event', correlation_key: 'never' } }, [
  ['wait', 'end'],
]);

function read<T>(file: string, statement: string): readonly T[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare<[], T>(statement).all();
  } finally {
    db.close();
  }
}

it('a job whose server is killed repeatedly while it catches up runs each time exactly once', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'runtime.db');
  const first = await startServer({ folder });
  await first.client.registerWorkflow(WAITING);
  await first.client.cron.put({ name: 'job', cron_expression: '* * * * *', workflow_id: 'waiting', missed: 'catch_up' });
  await first.kill();
  const fromMs = Math.floor(Date.now() / MINUTE) * MINUTE - MISSED * MINUTE;
  const db = new Database(file);
  db.prepare('UPDATE cron_jobs SET next_run_at_ms = ?').run(fromMs);
  db.close();

  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = launchServer({ folder });
    const before = started(file);
    // It may have finished before the first check: the next time is a minute away.
    await until(() => started(file) > Math.min(before, MISSED - 1));
    await server.kill();
  }
  const last = await startHere({ folder });
  await until(() => started(file) >= MISSED);
  await last.kill();

  const times = read<{ at: string }>(file, 'SELECT json_extract(labels, \'$."jamjet.cron.scheduled_at"\') AS at FROM executions')
    .map(({ at }) => Date.parse(at))
    .sort((a, b) => a - b);
  expect(times.slice(0, MISSED)).toEqual(Array.from({ length: MISSED }, (_, i) => fromMs + i * MINUTE));
  expect(new Set(times).size).toBe(times.length);
  expect((await replayAll(file)).differing).toEqual([]);
});

function started(file: string): number {
  return read<{ count: number }>(file, 'SELECT count(*) AS count FROM executions')[0]?.count ?? 0;
}

const LOOK_AGAIN_MS = 20;
/** Polls, because there is no notification from another process. */
async function until(condition: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + PATIENCE_MS; !condition(); ) {
    if (Date.now() > untilMs) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
