import type { JsonObject } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import { type Beginning, beginningOf } from '../attempt-clock.ts';

/** How far back a beginning is looked for at first; each further search goes ten times as far. */
const FIRST_SEARCH = 1_000;
const PAGE = 1_000;

/** When the attempt that `end` ends began: what a process reads that did not see it begin; null = it failed before it began. */
export async function findBeginning(
  store: Pick<ExecutionStore, 'events'>,
  executionId: string,
  { nodeId, seq, data }: EventRow,
): Promise<Beginning | null> {
  if (nodeId === null) return null;
  for (let far = FIRST_SEARCH, until = seq; until > 0; far *= 10) {
    const from = Math.max(0, seq - far);
    let found: EventRow | null = null;
    for (let after: number | null = from; after !== null && after < until; ) {
      const page = await store.events(executionId, { after, limit: PAGE, type: 'node_started', nodeId });
      for (const row of page.rows) if (row.seq < seq && isOfSame(row.data, data)) found = row;
      after = page.next;
    }
    if (found !== null) return beginningOf(found);
    until = from;
  }
  return null;
}

function isOfSame(begun: JsonObject, ended: JsonObject): boolean {
  return begun.activation === ended.activation && begun.item === ended.item;
}

/** Has the execution been retried, so that it has ended before? */
export async function wasRetried(store: Pick<ExecutionStore, 'events'>, executionId: string): Promise<boolean> {
  return (await store.events(executionId, { after: 0, limit: 1, type: 'workflow_retried' })).rows.length > 0;
}
