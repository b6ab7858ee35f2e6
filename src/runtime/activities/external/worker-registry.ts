import { LISTED_FOR_MS, MAX_WORKERS, type WorkerRow } from '../../../../store/port/workers.ts';
import { actorOf } from '../../actor.ts';
import type { RuntimeContext } from '../../context.ts';
import { workerViewOf } from '../../queries/views.ts';
import type { Caller } from '../../types/caller.ts';
import type { ClaimWork, Tools, WaitingWorkView, WorkerView } from '../../types/work.ts';
import { serves } from './served-tools.ts';

/** A busy worker's claims are stored at most this often. */
const STORE_INTERVAL_MS = 5_000;

export interface WorkerRegistryOptions extends Pick<RuntimeContext, 'runtimeId' | 'store' | 'clock' | 'onError'> {
  /** The tools of this runtime. */
  readonly toolsOf: (tenantId: string) => Tools;
  /** Whether the operator gives the tenant a tool, in whichever runtime. */
  readonly isGranted: (tenantId: string, tool: string) => boolean;
}

/** The workers of a tenant: external workers, known by their claims, and the runtimes. */
export class WorkerRegistry {
  readonly #options: WorkerRegistryOptions;
  readonly #claims = new Map<string, RecordedClaims>();

  constructor(options: WorkerRegistryOptions) {
    this.#options = options;
  }

  /** Records a claim. Not awaited: an outdated list of workers does no harm. */
  recordClaim(caller: Caller, claim: ClaimWork, claimed: number): void {
    const { store, clock, onError } = this.#options;
    const { tenantId } = caller;
    const nowMs = clock.nowMs();
    const total = this.#claimsOf(tenantId, nowMs).record(claim.workerId, claimed, nowMs);
    if (total === null) return;
    void store
      .heartbeat({
        id: claim.workerId,
        tenantId,
        kind: 'external',
        queues: claim.queueTypes,
        tools: claim.tools ?? null,
        atMs: nowMs,
        claimed: total,
        actor: actorOf(caller),
      })
      .catch(onError);
  }

  async workers(tenantId: string): Promise<readonly WorkerView[]> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const rows = await store.tenant(tenantId).workers(nowMs - LISTED_FOR_MS);
    return rows.map((row) => {
      const unsaved = row.kind === 'external' ? (this.#claims.get(tenantId)?.unsaved(row.id) ?? 0) : 0;
      return workerViewOf({ ...row, tools: this.#toolsOf(tenantId, row), claimedTotal: row.claimedTotal + unsaved }, nowMs);
    });
  }

  /** The unclaimed work of the tenant, and which of the workers do it. */
  async waitingWork(tenantId: string, workers: readonly WorkerView[]): Promise<readonly WaitingWorkView[]> {
    const { store, clock } = this.#options;
    const waiting = await store.tenant(tenantId).waitingWork();
    const nowMs = clock.nowMs();
    const wanted = new Set(waiting.map(({ tool }) => tool));
    // There may be a thousand workers with a thousand tools each.
    const known = workers.map((worker) => ({ worker, tools: new Set(worker.tools?.filter((tool) => wanted.has(tool))) }));
    return waiting.map((work) => {
      const serving = known.filter(({ worker, tools }) => serves(worker, work, nowMs, (tool) => tools.has(tool)));
      return { servedBy: serving.map(({ worker }) => worker.id), ...work };
    });
  }

  #claimsOf(tenantId: string, nowMs: number): RecordedClaims {
    const known = this.#claims.get(tenantId);
    if (known !== undefined) return known;
    for (const [other, claims] of this.#claims) if (!claims.hasAny(nowMs)) this.#claims.delete(other);
    const claims = new RecordedClaims();
    this.#claims.set(tenantId, claims);
    return claims;
  }

  /** The tools that serve the tenant. */
  #toolsOf(tenantId: string, { id, kind, tools }: WorkerRow): readonly string[] | null {
    const { runtimeId, toolsOf, isGranted } = this.#options;
    if (kind === 'external') return tools;
    if (id === runtimeId) return Object.keys(toolsOf(tenantId)).sort();
    return (tools ?? []).filter((tool) => isGranted(tenantId, tool));
  }
}

/** When the claims of a tenant's workers were last stored, and how many items were claimed since. At most as many workers as a tenant may have. */
class RecordedClaims {
  /** In order of the last store. */
  readonly #workers = new Map<string, { readonly atMs: number; readonly claimed: number }>();

  /** The items that are to be stored as claimed; null = nothing is to be stored now. */
  record(workerId: string, claimed: number, nowMs: number): number | null {
    const last = this.#workers.get(workerId);
    const total = (last?.claimed ?? 0) + claimed;
    if (last !== undefined && nowMs - last.atMs < STORE_INTERVAL_MS) {
      if (claimed > 0) this.#workers.set(workerId, { atMs: last.atMs, claimed: total });
      return null;
    }
    this.#workers.delete(workerId);
    this.#forget(nowMs);
    if (this.#workers.size >= MAX_WORKERS) return null;
    this.#workers.set(workerId, { atMs: nowMs, claimed: 0 });
    return total;
  }

  unsaved(workerId: string): number {
    return this.#workers.get(workerId)?.claimed ?? 0;
  }

  hasAny(nowMs: number): boolean {
    this.#forget(nowMs);
    return this.#workers.size > 0;
  }

  /** Workers that are no longer listed. */
  #forget(nowMs: number): void {
    for (const [worker, { atMs }] of this.#workers) {
      if (nowMs - atMs <= LISTED_FOR_MS) return;
      this.#workers.delete(worker);
    }
  }
}
