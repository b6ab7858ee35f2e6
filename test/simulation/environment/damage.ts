import type { JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import { DamagedEntryError } from '../../../store/port/errors.ts';
import type { Fault } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { StoredExecution } from '../store/tables.ts';
import type { RuntimeProcess } from './runtime-process.ts';

type DamageFault = Extract<Fault, { kind: 'damage' }>;

const RESTART_MS = 500;

/** Damages the log or the last snapshot of an execution: no other execution may notice it. */
export class Damage {
  readonly #database: MemoryDatabase;
  readonly #processes: readonly RuntimeProcess[];
  readonly #ids = new Set<string>();
  /** Executions of which a step is said to have failed: that ends them. */
  readonly unsteppable = new Set<string>();
  /** By execution: the sequence of its damaged snapshot. */
  readonly snapshots = new Map<string, number>();

  constructor(database: MemoryDatabase, processes: readonly RuntimeProcess[]) {
    this.#database = database;
    this.#processes = processes;
  }

  /** Whether it may be the error of a request. */
  explainsReply(error: unknown): boolean {
    return this.explains(error) || (error instanceof DamagedEntryError && this.#database.tables.damaged.size > 0);
  }

  /** Whether it is the error for an execution that is damaged. */
  explains(error: unknown): boolean {
    if (!(error instanceof RuntimeError) || error.code !== 'corrupt') return false;
    const damaged = [...this.#database.tables.executions.keys()].find((id) => error.message.includes(id) && this.#isDamaged(id));
    if (damaged !== undefined && error.message.includes('cannot be stepped')) this.unsteppable.add(damaged);
    return damaged !== undefined;
  }

  #isDamaged(id: string): boolean {
    return this.#ids.has(id) || this.#originsOf(id).some((origin) => this.#ids.has(origin));
  }

  /** Forks have the checkpoints of their origins. */
  hasDamagedSnapshot(id: string): boolean {
    return this.snapshots.has(id) || this.#originsOf(id).some((origin) => this.snapshots.has(origin));
  }

  #originsOf(id: string): readonly string[] {
    const events = this.#database.tables.executions.get(id)?.events ?? [];
    return events.flatMap(({ type, data }) =>
      type === 'workflow_forked'
        ? [(JSON.parse(data) as { readonly origin: { readonly execution_id: string } }).origin.execution_id]
        : [],
    );
  }

  begin({ what, which, part, downMs }: DamageFault): void {
    const { executions, damaged } = this.#database.tables;
    const live = [...executions.values()].filter(({ row }) => row.completedAtMs === null);
    const execution = live[Math.floor(which * live.length)];
    if (execution === undefined) return;
    const { id, seq } = execution.row;
    if (what === 'event') damaged.set(id, 1 + Math.floor(part * seq));
    else if (!this.#damageSnapshot(execution)) return;
    this.#ids.add(id);
    for (const each of this.#processes) each.crash(downMs);
  }

  /** Restores what cannot be read, removes snapshots with which executions do not go on, and starts the processes again. */
  end(): void {
    const { executions, damaged } = this.#database.tables;
    if (this.#ids.size === 0) return;
    damaged.clear();
    for (const [id, seq] of this.snapshots) {
      const execution = executions.get(id);
      if (execution === undefined || execution.row.completedAtMs !== null) continue;
      executions.set(id, { ...execution, checkpoints: execution.checkpoints.filter((each) => each.seq < seq) });
    }
    for (const each of this.#processes) each.crash(RESTART_MS);
  }

  #damageSnapshot({ row, checkpoints, events }: StoredExecution): boolean {
    const last = checkpoints.at(-1);
    if (last === undefined) return false;
    const text = JSON.stringify({ ...(JSON.parse(last.text) as JsonObject), visits: null });
    const damaged = [...checkpoints.slice(0, -1), { ...last, text }];
    this.#database.tables.executions.set(row.id, { row, checkpoints: damaged, events });
    this.snapshots.set(row.id, last.seq);
    return true;
  }
}
