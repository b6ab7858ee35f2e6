import type { WorkerRow } from '../../../../store/port/workers.ts';
import { actorOf } from '../../actor.ts';
import type { RuntimeContext } from '../../context.ts';
import { workerViewOf } from '../../queries/views.ts';
import type { Caller } from '../../types/caller.ts';
import type { ClaimWork, Tools, WaitingWorkView, WorkerView } from '../../types/work.ts';
import { serves } from './served-tools.ts';

/** A busy worker's claims are stored at most this often. */
const STORE_INTERVAL_MS = 5_000;
/** Workers that have not claimed for this long are no longer listed. */
const LIST_FOR_MS = 10 * 60_000;

export interface WorkerRegistryOptions extends Pick<RuntimeContext, 'runtimeId' | 'store' | 'clock' | 'onError'> {
  /** The tools of this runtime. */
  readonly toolsOf: (tenantId: string) => Tools;
  /** Whether the operator gives the tenant a tool, in whichever runtime. */
  readonly isGranted: (tenantId: string, tool: string) => boolean;
}

/** The workers of a tenant: external workers, known by their claims, and the runtimes. */
export class WorkerRegistry {
  readonly #options: WorkerRegistryOptions;
  /** By tenant and worker: when a claim was last stored, and how many items were claimed since. */
  readonly #workers = new Map<string, { readonly atMs: number; readonly claimed: number }>();

  constructor(options: WorkerRegistryOptions) {
    this.#options = options;
  }

  /** Records a claim. Not awaited: an outdated list of workers does no harm. */
  recordClaim(caller: Caller, claim: ClaimWork, claimed: number): void {
    const { store, clock, onError } = this.#options;
    const { tenantId } = caller;
    const key = `${tenantId}\n${claim.workerId}`;
    const nowMs = clock.nowMs();
    const last = this.#workers.get(key);
    const total = (last?.claimed ?? 0) + claimed;
    if (last !== undefined && nowMs - last.atMs < STORE_INTERVAL_MS) {
      if (claimed > 0) this.#workers.set(key, { atMs: last.atMs, claimed: total });
      return;
    }
    this.#workers.set(key, { atMs: nowMs, claimed: 0 });
    for (const [other, { atMs }] of this.#workers) if (nowMs - atMs > LIST_FOR_MS) this.#workers.delete(other);
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
    const rows = await store.tenant(tenantId).workers(nowMs - LIST_FOR_MS);
    return rows.map((row) => {
      const unsaved = row.kind === 'external' ? (this.#workers.get(`${tenantId}\n${row.id}`)?.claimed ?? 0) : 0;
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
      return { ...work, servedBy: serving.map(({ worker }) => worker.id) };
    });
  }

  /** The tools that serve the tenant. */
  #toolsOf(tenantId: string, { id, kind, tools }: WorkerRow): readonly string[] | null {
    const { runtimeId, toolsOf, isGranted } = this.#options;
    if (kind === 'external') return tools;
    if (id === runtimeId) return Object.keys(toolsOf(tenantId)).sort();
    return (tools ?? []).filter((tool) => isGranted(tenantId, tool));
  }
}
