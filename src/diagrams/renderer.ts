import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { View } from '../../machines/views/diagram.ts';
import { DiagramError } from './errors.ts';
import type { Format } from './formats.ts';
import type { SerializedEvent, ThreadAnswer, ThreadMessage } from './thread-messages.ts';

/** Memory for pictures that were drawn: they are asked for again and again. */
const CACHE_BYTES = 32 * 1024 * 1024;
const MAX_CACHED_DIAGRAM_BYTES = 8 * 1024 * 1024;
/** Events are handed to the thread in parts of about that size. */
const CHUNK_CHARS = 256 * 1024;
/** For one answer of the thread. Laying out the largest picture that is drawn takes up to 20 s. */
const TIMEOUT_MS = 60_000;
/** The thread ends when nothing was drawn for so long. */
const IDLE_MS = 60_000;
const MAX_HEAP_MB = 512;

export interface DiagramRequest {
  readonly revision: string;
  /** The document of the revision, as JSON text. */
  readonly source: string;
  readonly format: Format;
  readonly view: View;
  /** What an execution made of it; null = the workflow alone. */
  readonly execution: {
    readonly id: string;
    readonly sequence: number;
    readonly log: () => AsyncIterable<SerializedEvent>;
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
 * Makes pictures in a thread, which starts with the first of them, and keeps what was drawn. A picture is that of a revision, and of an
 * execution as it was at a sequence: neither changes any more. Requests for the same picture share the work.
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
   * `admit` runs the work when it may begin; it is not asked for a picture that is there, or is being drawn. Rejects with `PictureError`,
   * with an `UnreadableRevision`, and as `admit` and the log do.
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
      let answer = await this.#ask({ ...asked, type: 'draw', job, marked: execution !== null });
      if (execution !== null) {
        for await (const events of chunks(execution.log()))
          answer = await this.#ask({ type: 'events', job, events, last: false });
        answer = await this.#ask({ type: 'events', job, events: [], last: true });
      }
      if (answer.type !== 'drawn') throw new TypeError('a picture that is asked for is drawn');
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
        waiting.fail(new DiagramError('picture_too_large', 'the picture takes too long to draw'));
        void this.#end(busy('the drawing of another picture was ended'));
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
    const file = import.meta.url.endsWith('.ts') ? './diagram-thread.ts' : './diagram-thread.js';
    const thread = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    thread.on('message', (answer: ThreadAnswer) => this.#jobs.get(answer.job)?.more(answer));
    thread.on('error', (cause) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      // Whose picture it was is not known when there are several.
      const alone = this.#jobs.size === 1;
      const problem = new DiagramError('picture_too_large', 'the picture needs too much memory to draw', { cause });
      this.#failAll(alone ? problem : busy('the thread that draws has failed', cause));
    });
    this.#thread = thread;
    return thread;
  }

  /** Between jobs the thread does not keep the process alive, and after a while it ends. */
  #stopWhenIdle(): void {
    if (this.#jobs.size > 0 || this.#thread === null) return;
    this.#thread.unref();
    this.#idle ??= setTimeout(() => void this.#end(busy('the thread that draws has ended')), IDLE_MS).unref();
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

/** The stored document of a revision is none that this version compiles. */
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
  return new DiagramError('pictures_busy', message, { cause });
}
