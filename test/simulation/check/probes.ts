import { type Clients, callerOf } from '../environment/clients.ts';
import type { RuntimeProcess } from '../environment/runtime-process.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import { CLIENT_PREFIX, type OnlineChecker } from './online-checker.ts';

/** A key for which no node waits. */
const KEY = 'probe';
const ATTEMPTS = 3;
const RETRY_MS = 1_000;
const MAX_EXECUTIONS = 8;

/**
 * Sends requests to each process once the faults are over: it must accept an event for every execution, or refuse it because the execution has
 * ended. A client behind a load balancer would not notice a process that refuses, because others accept.
 */
export class Probes {
  readonly #clients: Clients;
  readonly #processes: readonly RuntimeProcess[];
  readonly #database: MemoryDatabase;
  readonly #checker: OnlineChecker;
  #pending = 0;

  constructor(clients: Clients, processes: readonly RuntimeProcess[], database: MemoryDatabase, checker: OnlineChecker) {
    this.#clients = clients;
    this.#processes = processes;
    this.#database = database;
    this.#checker = checker;
  }

  get areFinished(): boolean {
    return this.#pending === 0;
  }

  start(): void {
    const executions = [...this.#database.tables.executions.keys()].slice(0, MAX_EXECUTIONS);
    for (const [i, process] of this.#processes.entries())
      for (const id of executions) {
        this.#pending += 1;
        void this.#probe(`${CLIENT_PREFIX}probes ${i} ${id}`, process, id).finally(() => {
          this.#pending -= 1;
        });
      }
  }

  async #probe(client: string, process: RuntimeProcess, id: string): Promise<void> {
    let answer = 'the process is down';
    for (let n = 1; n <= ATTEMPTS; n += 1) {
      const reply = await this.#clients.askProcess(process, client, (runtime) =>
        runtime.sendEvent(callerOf(client), id, { key: KEY, payload: {}, idempotencyKey: client }),
      );
      if (reply?.is === 'answer') {
        this.#checker.onAcknowledged(client, id, 'external_event_received');
        return;
      }
      if (reply?.is === 'refused') {
        if (!this.#checker.hasBegunToEnd(id))
          this.#checker.addViolation(`${client}: refused by an execution that had not ended: ${reply.error.message}`);
        return;
      }
      answer = reply?.is ?? answer;
      await this.#clients.sleep(RETRY_MS, `${client} asks again ${n}`);
    }
    this.#checker.addViolation(`${client}: ${ATTEMPTS} requests were not answered after the faults: ${answer}`);
  }
}
