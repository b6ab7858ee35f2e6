import type { Envelope } from './envelope.ts';
import type { Hot } from './hot.ts';

const NONE: ReadonlySet<Envelope> = new Set();

/** The mailbox of one execution. */
export class Mailbox {
  readonly id: string;
  readonly queue: Envelope[] = [];
  /** The execution while there are messages for it, so that the cache cannot lose it on the way. */
  hot: Hot | null = null;
  /** Messages that were there when the execution was read from a shared store: what refuses them is no news to anybody. */
  informed: ReadonlySet<Envelope> = NONE;
  state: 'idle' | 'loading' | 'ready' | 'committing' = 'idle';
  /** After a refusal or a failure the messages go one by one, so that only the one at fault is refused. */
  oneByOne = false;
  conflicts = 0;

  constructor(id: string) {
    this.id = id;
  }

  get urgent(): boolean {
    return this.queue[0]?.draft.urgent === true;
  }

  /** Known once its execution is in memory, or about to begin. */
  get tenantId(): string {
    return this.hot?.tenantId ?? this.queue[0]?.birth?.tenantId ?? '';
  }

  /** What is urgent goes before what is not, but after the execution's beginning. */
  post(envelope: Envelope): void {
    if (envelope.draft.urgent !== true) {
      this.queue.push(envelope);
      return;
    }
    const at = this.queue.findIndex(({ birth, draft }) => birth === null && draft.urgent !== true);
    if (at < 0) this.queue.push(envelope);
    else this.queue.splice(at, 0, envelope);
  }
}
