import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import type { Operation, Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { Clients } from './clients.ts';
import { randomStream } from './random-streams.ts';

const TENANT = 'default';

/** Suspends the tenant and makes it active again, as an operator does by any process. */
export class Suspensions {
  readonly #plan: Plan;
  readonly #clients: Clients;
  readonly #database: MemoryDatabase;
  /** How many suspensions are in force. */
  #count = 0;
  #sinceMs: number | null = null;

  constructor(plan: Plan, clients: Clients, database: MemoryDatabase) {
    this.#plan = plan;
    this.#clients = clients;
    this.#database = database;
  }

  /** Since when the tenant has been suspended; null = it is active. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  async suspend({ id, forMs }: Extract<Operation, { kind: 'suspend' }>): Promise<void> {
    await this.#ask(`${id} begins`, (runtime) => {
      this.#count += 1;
      this.#set('suspended', runtime);
    });
    await this.#clients.sleep(forMs, `${id} lasts`);
    await this.#ask(`${id} ends`, (runtime) => {
      this.#count -= 1;
      if (this.#count === 0) this.#set('active', runtime);
    });
  }

  #ask(name: string, request: (runtime: ServerRuntime) => void): Promise<unknown> {
    return this.#clients.askUntilAnswered(randomStream(this.#plan.seed, name), name, async (runtime) => request(runtime));
  }

  #set(status: 'active' | 'suspended', runtime: ServerRuntime): void {
    const { tenants, policy } = this.#database.tables;
    tenants.set(TENANT, { id: TENANT, name: 'Default', status });
    if (status === 'active') this.#sinceMs = null;
    else this.#sinceMs ??= this.#clients.nowMs;
    this.#database.changed(this, TENANT, 'tenant_updated');
    runtime.tenants.changed(TENANT, { status, policy });
  }
}
