import { setImmediate } from 'node:timers/promises';
import type { RemovalPosition, RetentionPolicy } from '../../store/resources/retention.ts';
import type { Store } from '../../store/store.ts';
import { Alarm } from '../runtime/alarm.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/types.ts';
import type { Single } from './parts.ts';
import type { Tenants } from './tenants.ts';

const DAY_MS = 86_400_000;
/** After a failure: the disk may be full, the database busy. */
const RETRY_MS = 10 * 60_000;

export interface RetentionOptions {
  readonly store: Pick<Store, 'retention'>;
  readonly runtime: Pick<Runtime, 'id' | 'forget'>;
  readonly tenants: Pick<Tenants, 'onChange'>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

/**
 * Removes ended executions of tenants that keep them for some days only. Runs when the server starts, when a tenant changes, and then once something
 * has become old enough, at most daily. What is removed was old enough when it went; it may stay up to a day longer.
 */
export class Retention implements Single {
  readonly #options: RetentionOptions;
  readonly #alarm: Alarm;
  readonly #ignoreTenants: () => void;
  #begun = false;
  #closed = false;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#wake());
    this.#ignoreTenants = options.tenants.onChange(() => this.#wake());
  }

  async begin(): Promise<void> {
    this.#begun = true;
    this.#wake();
  }

  async rest(): Promise<void> {
    this.#begun = false;
    await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#ignoreTenants();
    this.#alarm.stop();
    await this.#running;
  }

  #wake(): void {
    if (!this.#begun || this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    const { store, clock, failed } = this.#options;
    while (this.#again && this.#begun && !this.#closed) {
      this.#again = false;
      try {
        const policies = await store.retention.policies();
        for (const policy of policies) await this.#apply(policy);
        this.#alarm.noLaterThan(await this.#nextRunMs(policies));
      } catch (error) {
        failed(error);
        this.#alarm.noLaterThan(clock.nowMs() + RETRY_MS);
      }
    }
  }

  async #apply({ tenantId, days }: RetentionPolicy): Promise<void> {
    const { store, runtime, clock } = this.#options;
    const endedBeforeMs = clock.nowMs() - days * DAY_MS + 1;
    let after: RemovalPosition | null = null;
    do {
      const context = { tenantId, atMs: clock.nowMs(), actorId: runtime.id, actorType: 'system', request: null } as const;
      const { removed, next } = await store.retention.remove({ after, endedBeforeMs }, context);
      runtime.forget(removed);
      after = next;
      // Requests and executions go first.
      await setImmediate();
    } while (after !== null && this.#begun && !this.#closed);
  }

  /** When the first execution that is there now becomes old enough; null = nobody has a policy. */
  async #nextRunMs(policies: readonly RetentionPolicy[]): Promise<number | null> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    let next = Number.POSITIVE_INFINITY;
    for (const { tenantId, days } of policies) {
      const oldestMs = (await store.retention.oldestEndMs(tenantId)) ?? nowMs;
      next = Math.min(next, oldestMs + days * DAY_MS);
    }
    return policies.length === 0 ? null : Math.max(next, nowMs + DAY_MS);
  }
}
