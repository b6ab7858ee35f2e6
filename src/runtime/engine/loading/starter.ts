import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow, ExecutionRow } from '../../../../store/port/executions.ts';
import type { Actor } from '../../actor.ts';
import { forkedFrom } from '../../history/fork/labels.ts';

/** Who started an execution: what its tools may go by. */
export interface Starter {
  /** The name of the token; `cron:<name>` for a cron job. */
  readonly actorId: string;
  readonly actorType: Actor['actorType'];
}

export function starterFrom({ actorId, actorType }: Starter): Starter {
  return { actorId, actorType };
}

/**
 * As the log has it: of a child, whoever started its topmost ancestor; of a fork, whoever forked. An execution begins with an event of its
 * starter; a fork goes on with one after what it has copied.
 */
export async function starterOf(
  store: ExecutionStore,
  row: Pick<ExecutionRow, 'id' | 'parentId' | 'labels'>,
  first: EventRow,
): Promise<Starter> {
  let top = row;
  while (top.parentId !== null) {
    const parent = await store.execution(top.parentId);
    if (parent === null) break;
    top = parent;
  }
  const after = forkedFrom(JSON.parse(top.labels))?.sequence ?? 0;
  if (top === row && after === 0) return starterFrom(first);
  const [begun] = await store.events(top.id, { after, limit: 1 });
  return starterFrom(begun ?? first);
}
