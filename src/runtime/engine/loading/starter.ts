import { DamagedEntryError } from '../../../../store/port/errors.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow, ExecutionRow } from '../../../../store/port/executions.ts';
import type { Actor } from '../../actor.ts';
import { RuntimeError } from '../../errors.ts';
import { forkedFrom } from '../../fork-labels.ts';

/** The actor that started an execution, as its tools are told. */
export interface Starter {
  /** The name of a token, or `cron:<name>` for a cron job. */
  readonly actorId: string;
  readonly actorType: Actor['actorType'];
}

export function starterFrom({ actorId, actorType }: Starter): Starter {
  return { actorId, actorType };
}

/**
 * Reads the starter from the log: for a child, the one of its topmost ancestor; for a fork, the one that forked. It is the actor of the
 * first event, which each segment has from the one before, or of a fork's first event after the copied ones.
 */
export async function starterOf(
  store: ExecutionStore,
  row: Pick<ExecutionRow, 'id' | 'parentId' | 'labels'>,
  first: EventRow,
): Promise<Starter> {
  let top = row;
  for (;;) {
    const before = top.parentId === null ? null : await store.execution(top.parentId);
    if (before === null) break;
    top = before;
  }
  const after = forkedFrom(JSON.parse(top.labels))?.sequence ?? 0;
  if (top === row && after === 0) return starterFrom(first);
  return starterFrom((await eventAfter(store, top.id, after)) ?? first);
}

/** An entry that cannot be read belongs to the log of an ancestor, which the error names. */
async function eventAfter(store: ExecutionStore, id: string, after: number): Promise<EventRow | undefined> {
  try {
    return (await store.events(id, { after, limit: 1 })).rows[0];
  } catch (cause) {
    if (!(cause instanceof DamagedEntryError)) throw cause;
    throw new RuntimeError('corrupt', `who started execution ${id} cannot be read: ${cause.message}`, { cause });
  }
}
