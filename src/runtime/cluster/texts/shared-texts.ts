import type { ProcessMessages } from '../../../../store/port/process-messages.ts';
import type { LiveText, LiveTexts } from '../../activities/local/live-texts.ts';
import type { RuntimeContext } from '../../context.ts';
import type { LiveUpdate } from '../../types/executions.ts';
import { idLists, type Part, parseTextMessage } from './messages.ts';
import { TextPublisher } from './publisher.ts';

/** How often a process says that it has readers. */
const RENEW_MS = 5_000;
/** After this time without a word of it, a reader, or a text, counts as gone. */
const GONE_MS = 3 * RENEW_MS;
/** The shortest time between two requests to begin again. */
const ASK_AGAIN_MS = 1_000;

export interface SharedTextsOptions extends Pick<RuntimeContext, 'clock' | 'events' | 'stopping' | 'onError'> {
  readonly messages: ProcessMessages;
  readonly texts: LiveTexts;
  /** No other runtime works on the database. */
  readonly isAlone: () => boolean;
  /** In-process work of the execution runs in this process, and so in no other. */
  readonly runsHere: (executionId: string) => boolean;
}

/** A text that another process writes. */
interface RemoteText {
  readonly live: LiveText;
  /** When the last part came, in milliseconds since the epoch. */
  heardAtMs: number;
}

/** An execution with readers in this process. */
interface Followed {
  readonly tenant: string;
  readonly id: string;
  readers: number;
  /** The runtime that last had its in-process work. */
  owner: string | null;
  askedAgainAtMs: number;
  readonly remote: Map<string, RemoteText>;
}

/**
 * The texts of attempts wherever on the database they run. A process with readers tells the others so, and the one that runs the attempt
 * sends it what there is, then what is added. Without readers elsewhere nothing is sent.
 */
export class SharedTexts {
  readonly #options: SharedTextsOptions;
  readonly #publisher: TextPublisher;
  readonly #followed = new Map<string, Followed>();
  #cancelRenewal: (() => void) | null = null;
  #stopReceiving: () => void = () => {};
  #closed = false;

  constructor(options: SharedTextsOptions) {
    this.#options = options;
    // New shape: once for each runtime.
    this.#publisher = new TextPublisher({ ...options, interestMs: GONE_MS, onError: (error) => this.#report(error) });
    options.events.on('committedElsewhere', ({ tenantId, id, owner }) => {
      const followed = this.#followed.size === 0 ? undefined : this.#followed.get(keyOf(tenantId, id));
      if (followed === undefined || owner === null || owner === followed.owner) return;
      // A runtime that has just joined knows of no readers.
      followed.owner = owner;
      this.#want([followed], false);
    });
  }

  open(): void {
    this.#stopReceiving = this.#options.messages.receive((text) => this.#receive(text));
  }

  close(): void {
    this.#closed = true;
    this.#stopReceiving();
    this.#cancelRenewal?.();
    this.#publisher.close();
  }

  /** Like `LiveTexts.read`, with the texts that other processes write. */
  async *read(tenantId: string, executionId: string, signal: AbortSignal): AsyncGenerator<LiveUpdate> {
    const followed = this.#follow(tenantId, executionId);
    try {
      yield* this.#options.texts.read(tenantId, executionId, signal);
    } finally {
      if (--followed.readers === 0) this.#unfollow(followed);
    }
  }

  #follow(tenant: string, id: string): Followed {
    const key = keyOf(tenant, id);
    const known = this.#followed.get(key);
    if (known !== undefined) {
      known.readers++;
      return known;
    }
    const followed: Followed = {
      tenant,
      id,
      readers: 1,
      owner: null,
      askedAgainAtMs: Number.NEGATIVE_INFINITY,
      remote: new Map(),
    };
    this.#followed.set(key, followed);
    this.#want([followed], false);
    if (!this.#closed) this.#cancelRenewal ??= this.#options.clock.after(RENEW_MS, () => this.#renew());
    return followed;
  }

  #unfollow({ tenant, id, remote }: Followed): void {
    this.#followed.delete(keyOf(tenant, id));
    for (const { live } of remote.values()) this.#options.texts.end(live);
    const { messages, isAlone, stopping } = this.#options;
    // Processes that are not told find out when it is not repeated.
    if (isAlone() || stopping.aborted) return;
    this.#send([{ type: 'leave', from: messages.self, tenant, ids: [id] }]);
  }

  #renew(): void {
    const { clock, texts } = this.#options;
    const goneMs = clock.nowMs() - GONE_MS;
    for (const { remote } of this.#followed.values()) {
      for (const [key, { live, heardAtMs }] of remote) {
        if (heardAtMs > goneMs) continue;
        remote.delete(key);
        texts.end(live);
      }
    }
    this.#want([...this.#followed.values()], false);
    this.#cancelRenewal = this.#followed.size === 0 ? null : clock.after(RENEW_MS, () => this.#renew());
  }

  #want(all: readonly Followed[], again: boolean): void {
    const { messages, isAlone, runsHere, stopping } = this.#options;
    if (isAlone() || stopping.aborted) return;
    const byTenant = new Map<string, string[]>();
    for (const { tenant, id } of all) {
      if (runsHere(id)) continue;
      const ids = byTenant.get(tenant);
      if (ids === undefined) byTenant.set(tenant, [id]);
      else ids.push(id);
    }
    this.#send(
      [...byTenant].flatMap(([tenant, given]) =>
        idLists(given).map((ids) => ({ type: 'want' as const, from: messages.self, tenant, ids, again })),
      ),
    );
  }

  #send(all: readonly object[]): void {
    if (all.length === 0) return;
    const sent = this.#options.messages.send(all.map((each) => ({ to: null, text: JSON.stringify(each) })));
    void sent.catch((error) => this.#report(error));
  }

  #report(error: unknown): void {
    if (!this.#closed) this.#options.onError(error);
  }

  #receive(text: string): void {
    const message = parseTextMessage(text);
    if (message === null || message.from === this.#options.messages.self) return;
    if (message.type === 'want') this.#publisher.want(message);
    else if (message.type === 'leave') this.#publisher.leave(message);
    else this.#add(message);
  }

  #add(part: Part): void {
    const { clock, texts } = this.#options;
    const followed = this.#followed.get(keyOf(part.tenant, part.id));
    if (followed === undefined || this.#closed) return;
    const { from, tenant: tenantId, id: executionId, node, activation, attempt, item, index, text, ended } = part;
    const key = `${from}\n${activation}\n${attempt}\n${item}\n${node}`;
    let known = followed.remote.get(key);
    if (index > (known?.live.text.length ?? 0)) {
      if (!ended) this.#askAgain(followed);
      else if (known !== undefined) this.#end(followed, key, known);
      return;
    }
    if (known === undefined) {
      known = { live: texts.open({ tenantId, executionId, node, activation, attempt, item }, true), heardAtMs: 0 };
      followed.remote.set(key, known);
    }
    known.heardAtMs = clock.nowMs();
    const added = text.slice(known.live.text.length - index);
    if (added !== '') texts.append(known.live, added);
    if (part.progress !== null) texts.setProgress(known.live, part.progress);
    if (ended) this.#end(followed, key, known);
  }

  /** Not at once: readers that wait come to the last part first. */
  #end({ remote }: Followed, key: string, { live }: RemoteText): void {
    remote.delete(key);
    setImmediate(() => this.#options.texts.end(live));
  }

  #askAgain(followed: Followed): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - followed.askedAgainAtMs < ASK_AGAIN_MS) return;
    followed.askedAgainAtMs = nowMs;
    this.#want([followed], true);
  }
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}\n${id}`;
}
