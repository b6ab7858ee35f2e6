import type { ColdResults } from '../../../machines/redaction/cold-results.ts';
import type { Envelope } from './envelope.ts';
import type { CachedExecution } from './loading/cached-execution.ts';

const NO_ENVELOPES: ReadonlySet<Envelope> = new Set();

/** The messages that wait for one execution. */
export class Mailbox {
  readonly id: string;
  readonly queue: Envelope[] = [];
  /** The execution, held while there are messages for it, so that the cache cannot evict it meanwhile. */
  execution: CachedExecution | null = null;
  /**
   * Messages that were enqueued before the execution was read from a shared store: a rejection of these is not based on a stale
   * cache.
   */
  enqueuedBeforeLoad: ReadonlySet<Envelope> = NO_ENVELOPES;
  state: 'idle' | 'loading' | 'ready' | 'committing' = 'idle';
  /** After a rejection or failure of a batch, messages are stepped one by one, so that only the offending one is affected. */
  oneByOne = false;
  conflicts = 0;
  /** Texts that a data policy redacts before the messages can be stepped; null = none are known. */
  cold: ColdResults | null = null;
  coldPasses = 0;

  constructor(id: string) {
    this.id = id;
  }

  get urgent(): boolean {
    return this.queue[0]?.options.urgent === true;
  }

  /** Known once the execution is in memory, or about to start. */
  get tenantId(): string {
    return this.execution?.tenantId ?? this.queue[0]?.start?.tenantId ?? '';
  }

  /** Puts urgent messages before the others, but after the start of the execution. */
  add(envelope: Envelope): void {
    if (envelope.options.urgent !== true) {
      this.queue.push(envelope);
      return;
    }
    const at = this.queue.findIndex(({ start, options }) => start === null && options.urgent !== true);
    if (at < 0) this.queue.push(envelope);
    else this.queue.splice(at, 0, envelope);
  }
}
