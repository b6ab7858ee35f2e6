/** A tenant may hold this many times the slots that are free; an execution, of those its tenant may have. */
const TENANT_FACTOR = 3;
const EXECUTION_FACTOR = 7;

interface Execution<T> {
  readonly id: string;
  running: number;
  /** In the order in which they came. */
  readonly waiting: Set<T>;
}

interface Tenant<T> {
  readonly id: string;
  running: number;
  waiting: number;
  readonly executions: Map<string, Execution<T>>;
  /** Executions with work waiting, whose turn it is first. */
  readonly turns: Set<Execution<T>>;
}

/**
 * Slots for work, shared fairly. A tenant may hold up to `perTenant` of them, and no more than three times as many as are free: the
 * dynamic threshold of Choudhury and Hahne (1998) for shared buffers, which needs no shares to be configured. As many slots again are for
 * tenants that hold none: however much others ask for, and however long they hold it, such a tenant need not wait. An execution's share of
 * its tenant's slots is bounded by a threshold too. A slot that becomes free goes to tenants in turn, and to a tenant's executions in turn.
 */
export class Slots<T> {
  readonly #perTenant: number;
  /** For tenants that hold some already. */
  readonly #shared: number;
  readonly #isOpen: (tenantId: string) => boolean;
  readonly #tenants = new Map<string, Tenant<T>>();
  /** Tenants with work waiting, whose turn it is first; those that are not open wait outside. */
  readonly #turns = new Set<Tenant<T>>();
  #running = 0;

  /** `isOpen`: may work of the tenant start? Call `reopen` when the answer becomes yes. */
  constructor(perTenant: number, isOpen: (tenantId: string) => boolean = () => true) {
    this.#perTenant = perTenant;
    this.#shared = perTenant + Math.ceil(perTenant / TENANT_FACTOR);
    this.#isOpen = isOpen;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes a slot if one may be had at once: nothing of the execution waits, and neither share is used up. */
  take(tenantId: string, executionId: string): boolean {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    const isFree =
      execution.waiting.size === 0 && this.#mayTake(tenant) && this.#mayTakeWithin(tenant, execution) && this.#isOpen(tenantId);
    if (isFree) this.#count(tenant, execution, 1);
    else this.#forgetIdle(tenant, execution);
    return isFree;
  }

  /** Takes a slot whether or not there is one. */
  occupy(tenantId: string, executionId: string): void {
    const tenant = this.#tenant(tenantId);
    this.#count(tenant, this.#execution(tenant, executionId), 1);
  }

  free(tenantId: string, executionId: string): void {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    this.#count(tenant, execution, -1);
    this.#forgetIdle(tenant, execution);
  }

  wait(tenantId: string, executionId: string, item: T): void {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    execution.waiting.add(item);
    tenant.waiting += 1;
    tenant.turns.add(execution);
    if (this.#isOpen(tenantId)) this.#turns.add(tenant);
  }

  /** It waits no more. */
  leave(tenantId: string, executionId: string, item: T): void {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    this.#remove(tenant, execution, item);
    this.#forgetIdle(tenant, execution);
  }

  /** The tenant's work may start again. */
  reopen(tenantId: string): void {
    const tenant = this.#tenants.get(tenantId);
    if (tenant !== undefined && tenant.waiting > 0 && this.#isOpen(tenantId)) this.#turns.add(tenant);
  }

  /** What waits and may have a slot now, with that slot; null = nothing. */
  next(): T | null {
    if (this.#running >= this.#shared + this.#perTenant) return null;
    for (const tenant of this.#turns) {
      if (!this.#isOpen(tenant.id)) this.#turns.delete(tenant);
      else if (this.#mayTake(tenant)) {
        const item = this.#nextOf(tenant);
        if (item !== null) return item;
      }
    }
    return null;
  }

  #nextOf(tenant: Tenant<T>): T | null {
    for (const execution of tenant.turns) {
      const [item] = execution.waiting;
      if (item === undefined || !this.#mayTakeWithin(tenant, execution)) continue;
      this.#count(tenant, execution, 1);
      this.#remove(tenant, execution, item);
      // Whoever had a turn goes to the end.
      if (tenant.turns.delete(execution)) tenant.turns.add(execution);
      if (this.#turns.delete(tenant)) this.#turns.add(tenant);
      return item;
    }
    return null;
  }

  runningOf(tenantId: string): number {
    return this.#tenants.get(tenantId)?.running ?? 0;
  }

  #mayTake({ running }: Tenant<T>): boolean {
    if (running === 0) return this.#running < this.#shared + this.#perTenant;
    return running < this.#perTenant && running < TENANT_FACTOR * (this.#shared - this.#running);
  }

  #mayTakeWithin(tenant: Tenant<T>, { running }: Execution<T>): boolean {
    return running < EXECUTION_FACTOR * (this.#perTenant - tenant.running);
  }

  #count(tenant: Tenant<T>, execution: Execution<T>, more: number): void {
    this.#running += more;
    tenant.running += more;
    execution.running += more;
  }

  #remove(tenant: Tenant<T>, execution: Execution<T>, item: T): void {
    if (!execution.waiting.delete(item)) return;
    tenant.waiting -= 1;
    if (execution.waiting.size === 0) tenant.turns.delete(execution);
    if (tenant.waiting === 0) this.#turns.delete(tenant);
  }

  #tenant(id: string): Tenant<T> {
    let tenant = this.#tenants.get(id);
    if (tenant === undefined) {
      tenant = { id, running: 0, waiting: 0, executions: new Map(), turns: new Set() };
      this.#tenants.set(id, tenant);
    }
    return tenant;
  }

  #execution(tenant: Tenant<T>, id: string): Execution<T> {
    let execution = tenant.executions.get(id);
    if (execution === undefined) {
      execution = { id, running: 0, waiting: new Set() };
      tenant.executions.set(id, execution);
    }
    return execution;
  }

  #forgetIdle(tenant: Tenant<T>, execution: Execution<T>): void {
    if (execution.running === 0 && execution.waiting.size === 0) tenant.executions.delete(execution.id);
    if (tenant.executions.size === 0) this.#tenants.delete(tenant.id);
  }
}
