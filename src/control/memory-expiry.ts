import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import { type MaintenanceOptions, MaintenanceTask } from './maintenance-task.ts';

const INTERVAL_MS = 60 * 60_000;

interface MemoryExpiryOptions extends MaintenanceOptions {
  readonly runtime: { readonly memory: Pick<ServerRuntime['memory'], 'removeExpired'> };
}

/** Deletes items of the memory whose time is over, at start and once an hour. Searches leave them out meanwhile. */
export class MemoryExpiry extends MaintenanceTask {
  readonly #options: MemoryExpiryOptions;

  constructor(options: MemoryExpiryOptions) {
    super(options);
    this.#options = options;
  }

  protected override async run(): Promise<number> {
    const { runtime, clock } = this.#options;
    await runtime.memory.removeExpired();
    return clock.nowMs() + INTERVAL_MS;
  }
}
