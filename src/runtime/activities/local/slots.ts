import { ChurnMap, ChurnSet } from '../../../../store/churn-map.ts';
import type { SlotReservation } from '../../engine/step-message.ts';
import type { EventBus } from '../../events.ts';
import type { ActivityTask } from './activity-task.ts';

/** A tenant may hold this many times the slots that are free; an execution, this many times those that are left to its tenant. */
const TENANT_FACTOR = 3;
const EXECUTION_FACTOR = 7;

interface Execution<T> {
  readonly id: string;
  running: number;
  /** In order of arrival; null = nothing has waited. */
  waiting: Set<T> | null;
}

interface Tenant<T> {
  readonly id: string;
  running: number;
  waiting: number;
  readonly executions: ChurnMap<string, Execution<T>>;
  /** Executions with waiting work, in the order of their next turns. */
  readonly turns: ChurnSet<Execution<T>>;
}

/**
 * Slots for work, shared fairly. A tenant may hold up to `perTenant` slots, and at most three times as many as are free: the
 * dynamic threshold of Choudhury and Hahne (1998) for shared buffers, which needs no configured shares. `perTenant` more slots
 * are reserved for tenants that hold none, so that such a tenant need not wait, whatever others ask for and however long they
 * hold it. A threshold bounds an execution's share of its tenant's slots, too. A freed slot goes to tenants in turn, and to a
 * tenant's executions in turn.
 */
export class Slots<T> {
  readonly #perTenant: number;
  /** Slots for tenants that hold some already. */
  readonly #shared: number;
  readonly #isActive: (tenantId: string) => boolean;
  readonly #tenants = new ChurnMap<string, Tenant<T>>();
  /** Tenants with waiting work that may start, in the order of their next turns. */
  readonly #turns = new ChurnSet<Tenant<T>>();
  #running = 0;

  /** `isActive`: may work of the tenant start? Call `reopen` when the answer becomes yes. */
  constructor(perTenant: number, isActive: (tenantId: string) => boolean = () => true) {
    this.#perTenant = perTenant;
    this.#shared = perTenant + Math.ceil(perTenant / TENANT_FACTOR);
    this.#isActive = isActive;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes a slot if one is free, nothing of the execution waits, and neither share is used up. */
  take(tenantId: string, executionId: string): boolean {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    const isFree =
      !isWaiting(execution) && this.#mayTake(tenant) && this.#mayTakeWithin(tenant, execution) && this.#isActive(tenantId);
    if (isFree) this.#count(tenant, execution, 1);
    else this.#forgetIdle(tenant, execution);
    return isFree;
  }

  /** Takes a slot even if none is free. */
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
    execution.waiting ??= new Set();
    execution.waiting.add(item);
    tenant.waiting += 1;
    tenant.turns.add(execution);
    if (this.#isActive(tenantId)) this.#turns.add(tenant);
  }

  /** Removes an item that waits. */
  leave(tenantId: string, executionId: string, item: T): void {
    const tenant = this.#tenant(tenantId);
    const execution = this.#execution(tenant, executionId);
    this.#remove(tenant, execution, item);
    this.#forgetIdle(tenant, execution);
  }

  /** The tenant's work may start again. */
  reopen(tenantId: string): void {
    const tenant = this.#tenants.get(tenantId);
    if (tenant !== undefined && tenant.waiting > 0 && this.#isActive(tenantId)) this.#turns.add(tenant);
  }

  /** Takes a slot for the next waiting item that may have one, and returns the item; null = none. */
  next(): T | null {
    if (this.#running >= this.#shared + this.#perTenant) return null;
    for (const tenant of this.#turns) {
      if (!this.#isActive(tenant.id)) this.#turns.delete(tenant);
      else if (this.#mayTake(tenant)) {
        const item = this.#nextOf(tenant);
        if (item !== null) return item;
      }
    }
    return null;
  }

  #nextOf(tenant: Tenant<T>): T | null {
    for (const execution of tenant.turns) {
      const [item] = execution.waiting ?? [];
      if (item === undefined || !this.#mayTakeWithin(tenant, execution)) continue;
      this.#count(tenant, execution, 1);
      this.#remove(tenant, execution, item);
      // The tenant and the execution move to the end of their rounds.
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
    if (execution.waiting?.delete(item) !== true) return;
    tenant.waiting -= 1;
    if (!isWaiting(execution)) tenant.turns.delete(execution);
    if (tenant.waiting === 0) this.#turns.delete(tenant);
  }

  #tenant(id: string): Tenant<T> {
    let tenant = this.#tenants.get(id);
    if (tenant === undefined) {
      tenant = { id, running: 0, waiting: 0, executions: new ChurnMap(), turns: new ChurnSet() };
      this.#tenants.set(id, tenant);
    }
    return tenant;
  }

  #execution(tenant: Tenant<T>, id: string): Execution<T> {
    let execution = tenant.executions.get(id);
    if (execution === undefined) {
      execution = { id, running: 0, waiting: null };
      tenant.executions.set(id, execution);
    }
    return execution;
  }

  #forgetIdle(tenant: Tenant<T>, execution: Execution<T>): void {
    if (execution.running === 0 && !isWaiting(execution)) tenant.executions.delete(execution.id);
    if (tenant.executions.size === 0) this.#tenants.delete(tenant.id);
  }
}

function isWaiting({ waiting }: Execution<unknown>): boolean {
  return waiting !== null && waiting.size > 0;
}

export interface SlotReservationsOptions {
  readonly slots: Slots<ActivityTask>;
  readonly stopping: Pick<AbortSignal, 'aborted'>;
  readonly events: EventBus;
}

/** Lets steps take slots, so that an attempt is scheduled and started in one commit. What finds no slot waits in the queue. */
export class SlotReservations {
  readonly #options: SlotReservationsOptions;

  constructor(options: SlotReservationsOptions) {
    this.#options = options;
  }

  reserve(): SlotReservation {
    const { slots, stopping, events } = this.#options;
    const taken: { readonly tenantId: string; readonly executionId: string }[] = [];
    return {
      take: (tenantId, executionId) => {
        const isTaken = !stopping.aborted && slots.take(tenantId, executionId);
        if (isTaken) taken.push({ tenantId, executionId });
        return isTaken;
      },
      release: () => {
        if (taken.length === 0) return;
        for (const { tenantId, executionId } of taken.splice(0)) slots.free(tenantId, executionId);
        events.emit('slotsReleased', null);
      },
    };
  }
}
