import { Worker } from 'node:worker_threads';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { packageModule } from '../../../store/package-files.ts';
import type { SchemaUse } from './compiled.ts';

export interface SchemaRequest {
  readonly schema: JsonObject;
  readonly use: SchemaUse;
  /** Absent = whether the schema compiles. */
  readonly value?: Json;
}

export type SchemaAnswer = { readonly problem: string | null } | { readonly unusable: string };

interface Job {
  readonly request: SchemaRequest;
  readonly resolve: (answer: SchemaAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread stops what takes too long by itself: after this long it is stopped, too. */
const ANSWERS_WITHIN_MS = 10_000;
/** The thread ends after this long without a job. */
const IDLE_MS = 60_000;
const MAX_HEAP_MB = 256;

/** Checks in a thread of this process: one at a time, those of different owners in turn, so that many of one hold up one of another once. */
class SchemaThread {
  readonly #waiting = new Map<object, Job[]>();
  #job: Job | null = null;
  #thread: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;

  ask(owner: object, request: SchemaRequest): Promise<SchemaAnswer> {
    return new Promise((resolve, reject) => {
      const job = { request, resolve, reject };
      const jobs = this.#waiting.get(owner);
      if (jobs === undefined) this.#waiting.set(owner, [job]);
      else jobs.push(job);
      if (this.#job === null) this.#next();
    });
  }

  #next(): void {
    this.#job = this.#take();
    const thread = this.#thread;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#job !== null) this.#begin(this.#job);
    else if (thread !== null) {
      // It does not keep the process alive.
      thread.unref();
      this.#timer = setTimeout(() => this.#end(), IDLE_MS).unref();
    }
  }

  #take(): Job | null {
    const [first] = this.#waiting;
    if (first === undefined) return null;
    const [owner, jobs] = first;
    const job = jobs.shift() ?? null;
    this.#waiting.delete(owner);
    if (jobs.length > 0) this.#waiting.set(owner, jobs);
    return job;
  }

  #begin(job: Job): void {
    try {
      this.#thread ??= this.#started();
      this.#thread.ref();
      this.#thread.postMessage(job.request);
      this.#timer = setTimeout(() => this.#fail({ unusable: 'it takes too long' }), ANSWERS_WITHIN_MS);
    } catch (error) {
      job.reject(error);
      this.#next();
    }
  }

  #started(): Worker {
    const thread = new Worker(packageModule('src/executors/schema/thread/worker'), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    thread.on('message', (answer: SchemaAnswer) => {
      if (this.#thread !== thread) return;
      this.#job?.resolve(answer);
      this.#next();
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#thread !== thread) return;
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#fail({ unusable: 'it needs too much memory' });
      else {
        this.#thread = null;
        this.#job?.reject(error);
        this.#next();
      }
    });
    return thread;
  }

  #fail(answer: SchemaAnswer): void {
    this.#end();
    this.#job?.resolve(answer);
    this.#next();
  }

  #end(): void {
    const thread = this.#thread;
    this.#thread = null;
    void thread?.terminate();
  }
}

let thread: SchemaThread | null = null;

/** Checks a value, or only the schema, without holding the event loop. `owner`: those of one owner wait for one another. */
export function inThread(owner: object, request: SchemaRequest): Promise<SchemaAnswer> {
  thread ??= new SchemaThread();
  return thread.ask(owner, request);
}
