import { TERMINAL } from '../../../machines/run.ts';
import { unwantedSinceMs } from '../check/child-lifetimes.ts';
import { CLIENT_PREFIX } from '../check/online-checker.ts';
import type { Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import type { Clients } from './clients.ts';
import type { Operations } from './operations.ts';
import { randomStream } from './random-streams.ts';

const EVERY_MS = 2_000;
const MAX_SEGMENTS = 6;
const ENDED = new Set<string>(TERMINAL);

/** After the faults, brings every execution to its end: resumes it, decides its approvals, and sends the events it waits for. */
export class Finisher {
  readonly #plan: Plan;
  readonly #clients: Clients;
  readonly #operations: Operations;
  readonly #database: MemoryDatabase;

  constructor(plan: Plan, clients: Clients, operations: Operations, database: MemoryDatabase) {
    this.#plan = plan;
    this.#clients = clients;
    this.#operations = operations;
    this.#database = database;
  }

  start(): void {
    void this.#run();
  }

  async #run(): Promise<void> {
    for (let round = 1; ; round += 1) {
      for (const execution of [...this.#database.tables.executions.values()]) {
        const { row, events } = execution;
        // A child that its parent does not need any more must end by itself.
        if (ENDED.has(row.status) || unwantedSinceMs(this.#database.tables, execution) !== null) continue;
        // A loop that exceeds its budget in each segment would go on forever.
        if (segmentOf(row.labels) > MAX_SEGMENTS) {
          await this.#operations.cancel(`${CLIENT_PREFIX}finisher cancels ${row.id} ${round}`, row.id);
          continue;
        }
        // An execution that awaits approval by policy is running.
        const isHeld = events.some(({ type }) => type === 'tool_approval_required');
        if (row.status === 'paused' || isHeld) await this.#unblock(row.id, round);
      }
      await this.#clients.sleep(EVERY_MS, `finisher ${round}`);
    }
  }

  async #unblock(executionId: string, round: number): Promise<void> {
    const name = (what: string) => `${CLIENT_PREFIX}finisher ${what} ${executionId} ${round}`;
    const random = randomStream(this.#plan.seed, name('reads'));
    const reply = await this.#clients.ask(random, name('reads'), async (runtime) => ({
      view: await runtime.execution('default', executionId),
      approvals: await runtime.approvals('default', executionId),
    }));
    if (reply.is !== 'answer') return;
    const { view, approvals } = reply.value;
    if (view.suspended !== null) await this.#operations.resume(name('resumes'), executionId, true);
    else if (approvals.pending.length > 0)
      await this.#operations.approve(name('decides'), executionId, { decision: 'approved', named: true });
    else if (view.status === 'paused')
      for (const key of ['key0', 'key1'])
        await this.#operations.sendEvent(name(`sends ${key}`), executionId, { key, keyed: false, twice: false });
  }
}

/** Which segment of a chain an execution is. */
function segmentOf(labels: string): number {
  return Number((JSON.parse(labels) as { readonly 'jamjet.segment'?: string })['jamjet.segment'] ?? 0);
}
