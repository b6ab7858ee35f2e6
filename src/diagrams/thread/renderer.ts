import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { View } from '../../../machines/views/diagram.ts';
import type { TransitionCounts } from '../../../machines/views/transition-counts.ts';
import { packageModule } from '../../../store/package-files.ts';
import { DiagramError } from '../errors.ts';
import type { Format } from '../formats.ts';
import type { SerializedEvent, ThreadAnswer, ThreadMessage } from './messages.ts';

/** Memory for drawn diagrams, which are requested repeatedly. */
const CACHE_BYTES = 32 * 1024 * 1024;
const MAX_CACHED_DIAGRAM_BYTES = 8 * 1024 * 1024;
/** Events are sent to the thread in chunks of about this many characters. */
const CHUNK_CHARS = 256 * 1024;
/** Time limit for one answer of the thread. The largest allowed diagram takes up to 20 s to lay out. */
const TIMEOUT_MS = 60_000;
/** The thread ends after this long without a job. */
const IDLE_MS = 60_000;
const MAX_HEAP_MB = 512;

export interface DiagramRequest {
  readonly revision: string;
  /** The document of the revision, as JSON text. */
  readonly source: string;
  readonly format: Format;
  readonly view: View;
  /** The execution whose statuses are shown; null = the workflow alone. */
  readonly execution: {
    readonly id: string;
    readonly sequence: number;
    readonly log: () => AsyncIterable<SerializedEvent>;
    /** The transitions of its machine, for a drawing of the machine; null = unknown. */
    readonly transitions: () => Promise<TransitionCounts | null>;
  } | null;
}

export interface RenderedDiagram {
  readonly bytes: Uint8Array;
  readonly policy: string | null;
  readonly unreadable: readonly string[];
}

interface Job {
  readonly more: (message: ThreadAnswer) => void;
  readonly fail: (error: Error) => void;
  timeout: NodeJS.Timeout | null;
}

/**
 * Draws diagrams in a thread, started with the first one, and caches them. A diagram belongs to a revision, and to an execution at a
 * sequence, neither of which changes; so the cache needs no invalidation. Concurrent requests for the same diagram share the work.
 */
export class DiagramRenderer {
  readonly #cache = new LRUCache<string, RenderedDiagram>({
    maxSize: CACHE_BYTES,
    maxEntrySize: MAX_CACHED_DIAGRAM_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 1,
  });
  readonly #drawing = new Map<string, Promise<RenderedDiagram>>();
  readonly #jobs = new Map<number, Job>();
  #thread: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #lastJob = 0;
  #closed = false;

  /**
   * `admit` runs the work when there is capacity; it is not called for a diagram that is cached or being drawn. Rejects with `DiagramError`,
   * `UnreadableRevision`, or the errors of `admit` and the log.
   */
  async render(
    request: DiagramRequest,
    admit: (work: () => Promise<RenderedDiagram>) => Promise<RenderedDiagram>,
  ): Promise<RenderedDiagram> {
    const key = keyOf(request);
    const known = this.#cache.get(key) ?? this.#drawing.get(key);
    if (known !== undefined) return known;
    const drawing = admit(() => this.#draw(request)).finally(() => this.#drawing.delete(key));
    this.#drawing.set(key, drawing);
    const drawn = await drawing;
    this.#cache.set(key, drawn);
    return drawn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end(busy('the server is shutting down'));
  }

  async #draw({ execution, ...asked }: DiagramRequest): Promise<RenderedDiagram> {
    if (this.#closed) throw busy('the server is shutting down');
    this.#lastJob += 1;
    const job = this.#lastJob;
    try {
      const isMachineDrawn = asked.view === 'machine' && asked.format !== 'xstate';
      const shown =
        execution === null ? null : { id: execution.id, transitions: isMachineDrawn ? await execution.transitions() : null };
      let answer = await this.#ask({ ...asked, type: 'draw', job, execution: shown });
      if (execution !== null) {
        for await (const events of chunks(execution.log()))
          answer = await this.#ask({ type: 'events', job, events, last: false });
        answer = await this.#ask({ type: 'events', job, events: [], last: true });
      }
      if (answer.type !== 'drawn') throw new TypeError('the thread did not answer with a diagram');
      const { bytes, policy, unreadable } = answer;
      return { bytes, policy, unreadable };
    } catch (error) {
      this.#thread?.postMessage({ type: 'abandon', job } satisfies ThreadMessage);
      throw error;
    }
  }

  #ask(message: ThreadMessage): Promise<ThreadAnswer> {
    return new Promise((resolve, reject) => {
      const { job } = message;
      const thread = this.#ensureThread();
      const settle = (settled: () => void): void => {
        if (waiting.timeout !== null) clearTimeout(waiting.timeout);
        this.#jobs.delete(job);
        this.#stopWhenIdle();
        settled();
      };
      const waiting: Job = {
        more: (answer) =>
          settle(() => {
            if (answer.type !== 'failed') resolve(answer);
            else if (answer.code === null) reject(new UnreadableRevision(answer.message));
            else reject(new DiagramError(answer.code, answer.message));
          }),
        fail: (error) => settle(() => reject(error)),
        timeout: null,
      };
      waiting.timeout = setTimeout(() => {
        waiting.fail(new DiagramError('diagram_too_large', 'the diagram takes too long to draw'));
        void this.#end(busy('the drawing thread was stopped because of another diagram'));
      }, TIMEOUT_MS);
      this.#jobs.set(job, waiting);
      thread.postMessage(message);
    });
  }

  #ensureThread(): Worker {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#thread !== null) {
      this.#thread.ref();
      return this.#thread;
    }
    const thread = new Worker(packageModule('src/diagrams/thread/worker'), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    thread.on('message', (answer: ThreadAnswer) => this.#jobs.get(answer.job)?.more(answer));
    thread.on('error', (cause) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      // With several jobs it is unknown which of them failed the thread.
      const alone = this.#jobs.size === 1;
      const problem = new DiagramError('diagram_too_large', 'the diagram needs too much memory to draw', { cause });
      this.#failAll(alone ? problem : busy('the drawing thread has failed', cause));
    });
    this.#thread = thread;
    return thread;
  }

  /** Without jobs, the thread does not keep the process alive, and ends after `IDLE_MS`. */
  #stopWhenIdle(): void {
    if (this.#jobs.size > 0 || this.#thread === null) return;
    this.#thread.unref();
    this.#idle ??= setTimeout(() => void this.#end(busy('the drawing thread has ended')), IDLE_MS).unref();
  }

  async #end(error: DiagramError): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#failAll(error);
    await thread?.terminate();
  }

  #failAll(error: DiagramError): void {
    for (const job of [...this.#jobs.values()]) job.fail(error);
  }
}

/** This version cannot compile the stored document of a revision. */
export class UnreadableRevision extends Error {
  readonly code = 'unreadable_revision';

  constructor(message: string) {
    super(message);
    this.name = 'UnreadableRevision';
  }
}

function keyOf({ revision, format, view, execution }: DiagramRequest): string {
  return `${revision} ${format} ${view}${execution === null ? '' : ` ${execution.id} ${execution.sequence}`}`;
}

async function* chunks(log: AsyncIterable<SerializedEvent>): AsyncGenerator<SerializedEvent[]> {
  let part: SerializedEvent[] = [];
  let chars = 0;
  for await (const event of log) {
    part.push(event);
    chars += event.data.length;
    if (chars < CHUNK_CHARS) continue;
    yield part;
    part = [];
    chars = 0;
  }
  if (part.length > 0) yield part;
}

function busy(message: string, cause?: unknown): DiagramError {
  return new DiagramError('diagrams_busy', message, { cause });
}
