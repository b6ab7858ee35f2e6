import type { AgentDirectory } from '../../../src/executors/a2a/directory.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { createRuntime } from '../../../src/runtime/index.ts';
import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import type { Plan } from '../plan.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import { memoryStore } from '../store/memory-store.ts';
import { Incarnation } from './incarnation.ts';
import { SCRIPT } from './models.ts';
import type { Network } from './network.ts';
import { randomBytes, randomStream } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

export interface ProcessOptions {
  readonly plan: Plan;
  readonly index: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly database: MemoryDatabase;
  readonly trace: Trace;
  readonly toolsOf: (incarnation: Incarnation) => Tools;
  readonly agentsOf: (incarnation: Incarnation) => AgentDirectory;
  readonly onUp: () => void;
  /** Called with errors that the runtime reports. */
  readonly onError: (incarnation: Incarnation, error: unknown) => void;
}

/** A simulated server process: the real runtime, started, stopped, frozen and killed according to the plan. */
export class RuntimeProcess {
  readonly #options: ProcessOptions;
  #upSinceMs = 0;
  #lives = 0;
  #starting = 0;
  #incarnation: Incarnation | null = null;
  #runtime: ServerRuntime | null = null;
  #stopping = false;
  /** By how much the clock has jumped. */
  #jumpedMs = 0;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** The current incarnation; null if the process is down. */
  get incarnation(): Incarnation | null {
    return this.#incarnation;
  }

  /** Null while the process is down or starting. */
  get runtime(): ServerRuntime | null {
    return this.#runtime;
  }

  /** Whether it accepts requests. */
  /** Since when it has been up and not frozen, or will be. */
  get healthySinceMs(): number {
    return Math.max(this.#upSinceMs, this.#incarnation?.frozenUntilMs ?? 0);
  }

  get isUp(): boolean {
    return this.#runtime !== null && !this.#stopping;
  }

  start(): void {
    if (this.#incarnation !== null) return;
    this.#stopping = false;
    const { index: processIndex, database, network, plan, toolsOf, agentsOf, onError } = this.#options;
    this.#lives += 1;
    const incarnation = new Incarnation(processIndex, this.#lives, (downMs) => this.#onEnd(incarnation, downMs, 'crashes'));
    this.#incarnation = incarnation;
    this.#trace(`${incarnation.id} starts`);
    const { cacheBytes, concurrency, stepLimit, artifactThresholdBytes, checkpointLogBytes, maxSlotWaitMs } = plan.options;
    const starting = createRuntime({
      store: memoryStore(database, network.connect(incarnation), incarnation),
      id: incarnation.id,
      clock: this.#clockOf(incarnation),
      randomBytes: randomBytes(randomStream(plan.seed, 'ids', incarnation.id)),
      tools: toolsOf(incarnation),
      agents: agentsOf(incarnation),
      cacheBytes,
      concurrency,
      stepLimit,
      artifactThresholdBytes,
      checkpointLogBytes,
      maxSlotWaitMs,
      models: { script: SCRIPT },
      liveFunctions: randomStream(plan.seed, 'live functions').pick([0, 1, 1_000]),
      onError: (error) => {
        if (incarnation.alive) onError(incarnation, error);
      },
    });
    starting.then(
      (runtime) => {
        if (!incarnation.alive) return;
        this.#trace(`${incarnation.id} is up`);
        this.#runtime = runtime;
        this.#upSinceMs = this.#options.scheduler.nowMs;
        this.#options.onUp();
      },
      (error: unknown) => {
        if (!incarnation.alive) return;
        onError(incarnation, error);
        // A supervisor restarts it.
        incarnation.crash(1_000);
      },
    );
  }

  crash(downMs: number): void {
    this.#incarnation?.crash(downMs);
  }

  freeze(forMs: number): void {
    if (this.#incarnation === null) return;
    this.#trace(`${this.#incarnation.id} is frozen for ${forMs} ms`);
    this.#incarnation.frozenUntilMs = this.#options.scheduler.nowMs + forMs;
  }

  jumpClock(byMs: number): void {
    this.#jumpedMs += byMs;
    this.#trace(`the clock of process ${this.#options.index} jumps by ${byMs} ms`);
  }

  /** Undoes the jumps of the clock. */
  setClock(): void {
    if (this.#jumpedMs !== 0) this.jumpClock(-this.#jumpedMs);
  }

  /** Stops the process in order. */
  stop(graceMs: number, downMs: number): void {
    const incarnation = this.#incarnation;
    const runtime = this.#runtime;
    if (incarnation === null || runtime === null) return;
    this.#trace(`${incarnation.id} stops`);
    this.#stopping = true;
    void runtime.close(graceMs).then(() => {
      if (!incarnation.alive) return;
      incarnation.end();
      this.#onEnd(incarnation, downMs, 'has stopped');
    });
  }

  #onEnd(incarnation: Incarnation, downMs: number, how: string): void {
    const { database, scheduler } = this.#options;
    this.#trace(`${incarnation.id} ${how}`);
    this.#incarnation = null;
    this.#runtime = null;
    if (database.tables.holder?.connection === incarnation) database.tables.holder = null;
    this.#starting += 1;
    scheduler.schedule(downMs, null, `process ${incarnation.processIndex} is to start ${this.#starting}`, () => this.start());
  }

  #clockOf(incarnation: Incarnation): Clock {
    const { scheduler, plan } = this.#options;
    const skewMs = plan.processes[incarnation.processIndex]?.skewMs ?? 0;
    let timers = 0;
    return {
      nowMs: () => scheduler.nowMs + skewMs + this.#jumpedMs,
      after: (delayMs, callback) =>
        scheduler.schedule(Math.max(1, delayMs), incarnation, `${incarnation.id} timer ${++timers}`, callback),
    };
  }

  #trace(line: string): void {
    this.#options.trace.add(`${this.#options.scheduler.nowMs} ${line}`);
  }
}
