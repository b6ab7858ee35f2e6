import { type Connections, sql } from './connections.ts';

const DATABASE_TIME = sql(`SELECT floor(1000 * extract(epoch FROM clock_timestamp()))::bigint AS "nowMs"`);

/** A lower bound for how many milliseconds `nowMs` is ahead of the database's clock; negative: behind. */
export async function clockAheadMs(connections: Connections, nowMs: () => number): Promise<number> {
  const sentAtMs = nowMs();
  const [row] = await connections.query<{ nowMs: number }>(DATABASE_TIME);
  const receivedAtMs = nowMs();
  if (row === undefined) throw new Error('the database did not return its time');
  // The database read its clock between the two.
  return Math.max(0, sentAtMs - row.nowMs) + Math.min(0, receivedAtMs - row.nowMs);
}
