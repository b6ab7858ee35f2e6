import { setImmediate } from 'node:timers/promises';
import type { RemovalPosition, RemovalRequest } from '../../store/port/resources/retention.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';

export interface RemovalOptions {
  readonly store: Pick<Store, 'retention'>;
  readonly runtime: Pick<ServerRuntime, 'id' | 'forget'>;
  readonly clock: Clock;
}

/** Removes ended executions of a tenant in batches, until none is left or `mayGoOn` returns false. */
export async function removeEnded(
  { store, runtime, clock }: RemovalOptions,
  tenantId: string,
  request: Omit<RemovalRequest, 'after'>,
  mayGoOn: () => boolean,
): Promise<void> {
  for (let after: RemovalPosition | null = null; mayGoOn(); ) {
    const context = { tenantId, atMs: clock.nowMs(), actorId: runtime.id, actorType: 'system', request: null } as const;
    const { removed, next } = await store.retention.remove({ ...request, after }, context);
    runtime.forget(removed);
    // Lets requests and executions run in between.
    await setImmediate();
    if (next === null) return;
    after = next;
  }
}
