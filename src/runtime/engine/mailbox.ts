import type { Envelope } from './envelope.ts';
import type { CachedExecution } from './loading/execution-cache.ts';

const NO_ENVELOPES: ReadonlySet<Envelope> = new Set();

/** The mailbox of one execution. */
export class Mailbox {
  readonly id: string;
  readonly queue: Envelope[] = [];
  /** The execution while there are messages for it, so that the cache cannot lose it on the way. */
  execution: CachedExecution | null = null;
  /** Messages that were there when the execution was read from a shared store: what refuses them is no news to anybody. */
  enqueuedBeforeLoad: ReadonlySet<Envelope> = NO_ENVELOPES;
  state: 'idle' | 'loading' | 'ready' | 'committing' = 'idle';
  /** After a refusal or a failure the messages go one by one, so that only the one at fault is refused. */
  oneByOne = false;
  conflicts = 0;

  constructor(id: string) {
    this.id = id;
  }

  get urgent(): boolean {
    return this.queue[0]?.options.urgent === true;
  }

  /** Known once its execution is in memory, or about to begin. */
  get tenantId(): string {
    return this.execution?.tenantId ?? this.queue[0]?.birth?.tenantId ?? '';
  }

  /** What is urgent goes before what is not, but after the execution's beginning. */
  add(envelope: Envelope): void {
    if (envelope.options.urgent !== true) {
      this.queue.push(envelope);
      return;
    }
    const at = this.queue.findIndex(({ birth, options: draft }) => birth === null && draft.urgent !== true);
    if (at < 0) this.queue.push(envelope);
    else this.queue.splice(at, 0, envelope);
  }
}
