import Database from 'better-sqlite3';
import { openSqlite } from '../../store/sqlite/open.ts';

const MINUTE_MS = 60_000;

/**
 * A database with executions of three workflows, started one second after the other until `untilMs`. They have rows and no logs: they can be listed
 * and counted, but not opened. Every 20th has failed, every 100th is cancelled, every 4th has a label `customer`. The statement takes some
 * ten microseconds for each.
 */
export async function createManyExecutions(path: string, count: number, untilMs: number): Promise<void> {
  const store = await openSqlite({ path });
  await store.close();
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  const startMs = untilMs - count * 1_000 - MINUTE_MS;
  db.prepare('INSERT INTO log_revisions (hash) VALUES (?)').run('a'.repeat(64));
  db.prepare(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < @count),
    chosen AS (SELECT n, @startMs + n * 1000 AS atMs, CASE WHEN n % 100 = 0 THEN 'cancelled' WHEN n % 20 = 0 THEN 'failed' ELSE 'completed' END AS status
      FROM numbers)
    INSERT INTO executions (log_id, id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth, deadline_at_ms,
      created_at_ms, status, seq, steps, error, local_work, owner, updated_at_ms, completed_at_ms)
    SELECT n, printf('exec_%012x7%03x8%015x', atMs, n % 4096, n), 'default', printf('workflow-%d', n % 3), '1', 1,
      iif(n % 4 = 0, printf('{"customer":"c%d"}', n % 1000), '{}'), NULL, 0, NULL, atMs, status, 5, 3,
      iif(status = 'failed', printf('charge: card %d was declined', n), NULL), 0, NULL, atMs + 1500, atMs + 1500 FROM chosen`,
  ).run({ count, startMs });
  db.exec(`INSERT INTO execution_labels (tenant_id, key, execution_id, value)
    SELECT tenant_id, 'customer', id, labels ->> 'customer' FROM executions WHERE labels <> '{}'`);
  db.close();
}
