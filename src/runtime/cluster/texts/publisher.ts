import type { ProcessMessage, ProcessMessages } from '../../../../store/port/process-messages.ts';
import type { Progress } from '../../../executors/tool-context/progress.ts';
import type { LiveText, LiveTexts } from '../../activities/local/live-texts.ts';
import type { Clock } from '../../clock.ts';
import { type Leave, partAt, type Want } from './messages.ts';

/** The shortest time between two parts of a text. */
const PAUSE_MS = 100;
/** Parts that a reader gets of an execution at once. */
const MAX_PARTS = 64;

const NOTHING = { index: 0, progress: null };

/** A process that reads the texts of an execution. */
interface Interest {
  readonly reader: string;
  readonly tenant: string;
  readonly id: string;
  untilMs: number;
  /** How much it has of each text, and the progress that it knows. */
  readonly given: Map<LiveText, { readonly index: number; readonly progress: Progress | null }>;
  /** It is told how long the texts are, even if it has all of them. */
  owesLength: boolean;
  unwatch: () => void;
}

export interface PublisherOptions {
  readonly messages: ProcessMessages;
  readonly texts: LiveTexts;
  readonly clock: Clock;
  /** How long a process counts as a reader after it has said so. */
  readonly interestMs: number;
  readonly onError: (error: unknown) => void;
}

/** Sends the texts that are written in this process to processes that have readers of them. */
export class TextPublisher {
  readonly #options: PublisherOptions;
  readonly #interests = new Map<string, Interest>();
  /** Those to which there is something to send. */
  readonly #due = new Set<Interest>();
  /** A round is being sent, or the pause after it. */
  #busy = false;
  #cancelPause: (() => void) | null = null;
  #cancelSweep: (() => void) | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  want({ from, tenant, ids, again }: Want): void {
    const { clock, interestMs } = this.#options;
    for (const id of ids) {
      const key = keyOf(from, tenant, id);
      const interest = this.#interests.get(key) ?? this.#begin(key, from, tenant, id);
      interest.untilMs = clock.nowMs() + interestMs;
      if (again) for (const live of interest.given.keys()) interest.given.set(live, NOTHING);
      interest.owesLength = true;
      this.#news(interest);
    }
    this.#cancelSweep ??= clock.after(interestMs, () => this.#sweep());
  }

  leave({ from, tenant, ids }: Leave): void {
    for (const id of ids) this.#end(keyOf(from, tenant, id));
  }

  close(): void {
    for (const key of [...this.#interests.keys()]) this.#end(key);
    this.#cancelPause?.();
    this.#cancelSweep?.();
  }

  #begin(key: string, reader: string, tenant: string, id: string): Interest {
    const interest: Interest = {
      reader,
      tenant,
      id,
      untilMs: 0,
      given: new Map(),
      owesLength: false,
      unwatch: this.#options.texts.watch(id, () => this.#news(interest)),
    };
    this.#interests.set(key, interest);
    return interest;
  }

  #end(key: string): void {
    const interest = this.#interests.get(key);
    if (interest === undefined) return;
    interest.unwatch();
    this.#interests.delete(key);
    this.#due.delete(interest);
  }

  #sweep(): void {
    const { clock, interestMs } = this.#options;
    const nowMs = clock.nowMs();
    for (const [key, { untilMs }] of this.#interests) if (untilMs <= nowMs) this.#end(key);
    this.#cancelSweep = this.#interests.size === 0 ? null : clock.after(interestMs, () => this.#sweep());
  }

  /** A text has grown or ended, or the reader has asked. */
  #news(interest: Interest): void {
    const { tenant, id, given } = interest;
    for (const live of this.#options.texts.of(id))
      if (!live.isRemote && live.source.tenantId === tenant && !given.has(live)) given.set(live, NOTHING);
    if (given.size === 0) return;
    this.#due.add(interest);
    this.#send();
  }

  #send(): void {
    if (this.#busy || this.#due.size === 0) return;
    this.#busy = true;
    const { messages, clock, onError } = this.#options;
    const parts = [...this.#due].flatMap((interest) => this.#partsFor(interest));
    const sent = parts.length === 0 ? Promise.resolve() : messages.send(parts).catch(onError);
    void sent.then(() => {
      this.#cancelPause = clock.after(PAUSE_MS, () => {
        this.#busy = false;
        this.#send();
      });
    });
  }

  /** Lost messages are found by the reader. */
  #partsFor(interest: Interest): readonly ProcessMessage[] {
    const { self } = this.#options.messages;
    const { reader, given, owesLength } = interest;
    const parts: ProcessMessage[] = [];
    for (const [live, last] of given) {
      let { index, progress } = last;
      let isOwed = owesLength || live.ended || live.progress !== progress;
      while (parts.length < MAX_PARTS && (isOwed || index < live.text.length)) {
        const { message, end } = partAt(live, index, self, live.progress);
        parts.push({ to: reader, text: message });
        progress = live.progress;
        index = end;
        isOwed = false;
      }
      if (live.ended && index === live.text.length && !isOwed) given.delete(live);
      else given.set(live, { index, progress });
    }
    if (parts.length < MAX_PARTS) {
      this.#due.delete(interest);
      interest.owesLength = false;
    }
    return parts;
  }
}

function keyOf(reader: string, tenant: string, id: string): string {
  return `${reader}\n${tenant}\n${id}`;
}
