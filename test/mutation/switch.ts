import { Worker } from 'node:worker_threads';

/** How much a test may do with a mutant. */
export interface Bounds {
  /** Evaluations of mutants and rounds of loops. */
  readonly rounds: number;
  readonly cpuMs: number;
}

/** The switch of the mutants in a process of tests; instrumented sources ask it. */
export class MutantSwitch {
  /** Mutants that were evaluated since the last call of `take`. */
  #evaluated = new Set<number>();
  #active: number | null = null;
  #rounds = 0;
  #maxRounds = Number.MAX_SAFE_INTEGER;
  /** CPU time of the process in ms beyond which a mutant is taken to be endless; a thread watches it. */
  readonly #deadline = new Float64Array(new SharedArrayBuffer(8)).fill(Number.MAX_SAFE_INTEGER);

  install(): void {
    const round = () => {
      this.#rounds += 1;
      if (this.#rounds > this.#maxRounds) process.kill(process.pid, 'SIGKILL');
    };
    const mutant = (id: number) => {
      round();
      if (this.#active === null) this.#evaluated.add(id);
      return id === this.#active;
    };
    Object.assign(globalThis, { __mutant: mutant, __round: round });
    new Worker(WATCH, { eval: true, execArgv: [], workerData: this.#deadline }).unref();
  }

  /** Switches to a mutant, or to none, and ends the process once it exceeds the bounds. */
  set(active: number | null, bounds: Bounds | null): void {
    this.#active = active;
    this.#rounds = 0;
    this.#maxRounds = bounds?.rounds ?? Number.MAX_SAFE_INTEGER;
    this.#deadline[0] = bounds === null ? Number.MAX_SAFE_INTEGER : cpuMs() + bounds.cpuMs;
  }

  get rounds(): number {
    return this.#rounds;
  }

  take(): readonly number[] {
    const taken = [...this.#evaluated];
    this.#evaluated = new Set();
    return taken;
  }
}

/** CPU time of this process. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const WATCH = `
  const { workerData } = require('node:worker_threads');
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1_000 > workerData[0]) process.kill(process.pid, 'SIGKILL');
  }, 500);
`;
