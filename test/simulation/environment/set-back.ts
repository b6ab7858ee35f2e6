import type { OnlineChecker } from '../check/online-checker.ts';
import type { Fault, Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { Network } from './network.ts';
import { FORK_VERSION, type Operations } from './operations.ts';
import type { RuntimeProcess } from './runtime-process.ts';

/** Sets the database back to an earlier state: what was committed since is lost, also what clients and processes know. */
export class SetBack {
  readonly #plan: Plan;
  readonly #database: MemoryDatabase;
  readonly #parts: readonly { backUp(): () => void }[];
  readonly #operations: Operations;
  readonly #processes: readonly RuntimeProcess[];
  #restore: (() => void) | null = null;

  constructor(
    plan: Plan,
    database: MemoryDatabase,
    network: Network,
    checker: OnlineChecker,
    operations: Operations,
    processes: readonly RuntimeProcess[],
  ) {
    this.#plan = plan;
    this.#database = database;
    // The connections break last: processes must find the earlier state.
    this.#parts = [database.tables, checker, network];
    this.#operations = operations;
    this.#processes = processes;
  }

  /** Makes a backup, if the workflows of the plan are registered. */
  backUp(): void {
    const versions = [...this.#database.tables.workflows.values()].filter(({ version }) => version !== FORK_VERSION);
    if (versions.length < this.#plan.workflows.length) return;
    const restores = this.#parts.map((part) => part.backUp());
    this.#restore = () => {
      for (const restore of restores) restore();
    };
  }

  restore({ downMs }: Extract<Fault, { kind: 'set back' }>): void {
    if (this.#restore === null) return;
    if (!this.#database.shared) for (const each of this.#processes) each.crash(downMs);
    this.#restore();
    this.#operations.onSetBack();
  }
}
