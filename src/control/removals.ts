import { setImmediate } from 'node:timers/promises';
import type { RemovalPosition, RemovalRequest } from '../../store/port/resources/retention.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';

export interface RemovalsOptions {
  readonly store: Pick<Store, 'retention'>;
  readonly runtime: Pick<ServerRuntime, 'id' | 'forget'>;
  readonly clock: Clock;
}

/** Removes executions in batches. */
export class Removals {
  readonly #options: RemovalsOptions;
  readonly #mayGoOn: () => boolean;

  constructor(options: RemovalsOptions, mayGoOn: () => boolean) {
    this.#options = options;
    this.#mayGoOn = mayGoOn;
  }

  async remove(tenantId: string, request: Omit<RemovalRequest, 'after'>): Promise<void> {
    const { store, runtime, clock } = this.#options;
    let after: RemovalPosition | null = null;
    do {
      const context = { tenantId, atMs: clock.nowMs(), actorId: runtime.id, actorType: 'system', request: null } as const;
      const { removed, next } = await store.retention.remove({ ...request, after }, context);
      runtime.forget(removed);
      after = next;
      // Lets requests and executions run in between.
      await setImmediate();
    } while (after !== null && this.#mayGoOn());
  }
}
