import { ChurnMap } from '../../store/churn-map.ts';
/**
 * Runs work on request, never twice at a time. Calls during a run share one further run, which starts when the current one has
 * ended; so the work always sees everything that happened before the call.
 */
export class Coalesced<T = void> {
  readonly #work: () => Promise<T>;
  #current: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  /** Resolves and rejects as the run that starts after this call does. */
  run(): Promise<T> {
    if (this.#next !== null) return this.#next;
    if (this.#current === null) return this.#start();
    this.#next = this.#current
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        this.#next = null;
        return this.#start();
      });
    return this.#next;
  }

  /** Resolves when no run is in progress or requested; never rejects. */
  async idle(): Promise<void> {
    for (let last = this.#next ?? this.#current; last !== null; last = this.#next ?? this.#current) {
      await last.then(
        () => {},
        () => {},
      );
    }
  }

  #start(): Promise<T> {
    const run = this.#work().finally(() => {
      this.#current = null;
    });
    this.#current = run;
    return run;
  }
}

/** The same for work per key: runs for different keys may overlap. */
export class CoalescedByKey<K, T = void> {
  readonly #work: (key: K) => Promise<T>;
  readonly #jobs = new ChurnMap<K, { readonly job: Coalesced<T>; calls: number }>();

  constructor(work: (key: K) => Promise<T>) {
    this.#work = work;
  }

  async run(key: K): Promise<T> {
    const entry = this.#jobs.get(key) ?? { job: new Coalesced(() => this.#work(key)), calls: 0 };
    this.#jobs.set(key, entry);
    entry.calls += 1;
    try {
      return await entry.job.run();
    } finally {
      entry.calls -= 1;
      if (entry.calls === 0) this.#jobs.delete(key);
    }
  }
}
