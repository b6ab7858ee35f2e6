import { isObject } from '../../../../machines/json.ts';
import { shortened } from '../../../../machines/shortened.ts';
import { WorkError } from '../../executor.ts';

/** Microsteps of one step of a machine and its actors. */
const MAX_MICROSTEPS = 10_000;
/** CPU time of one step. It is looked at every `TIMED_EVERY` microsteps, so that one long computation does not count. */
const MAX_CPU_MS = 1_000;
const TIMED_EVERY = 64;
/** The last states that the error is made of. */
const MAX_PLACES = 64;
const MAX_SHOWN = 12;
const MAX_PLACE_CHARS = 80;

/** Bounds a step of a machine: its transitions, or its actors, may cause one another without end. */
export class Microsteps {
  readonly #cpuMs: () => number;
  #cause = '';
  #isTimed = true;
  #count = 0;
  #isSlow = false;
  #untilCpuMs = Number.POSITIVE_INFINITY;
  #places: string[] = [];

  /** `cpuMs`: what the process has used. */
  constructor(cpuMs: () => number = usedCpuMs) {
    this.#cpuMs = cpuMs;
  }

  /** `isAgain`: the machine came to rest after this event before, so that time is no reason to end it. */
  begin(cause: string, isAgain: boolean): void {
    this.#cause = cause;
    this.#isTimed = !isAgain;
    this.#count = 0;
    this.#isSlow = false;
    this.#untilCpuMs = Number.POSITIVE_INFINITY;
    this.#places = [];
  }

  /** Counts one that has led an actor to a state value. Throws after the last one that may be. */
  add(actor: string, value: unknown): void {
    this.#count += 1;
    if (this.#isTimed && this.#count % TIMED_EVERY === 0) this.#lookAtTime();
    if (!this.#isSlow && this.#count <= MAX_MICROSTEPS - MAX_PLACES) return;
    this.#places.push(shortened(`${actor}${textOf(value)}`, MAX_PLACE_CHARS));
    if (this.#places.length >= MAX_PLACES) throw this.#tooMany();
  }

  /** From the first time on. */
  #lookAtTime(): void {
    const nowMs = this.#cpuMs();
    if (this.#count === TIMED_EVERY) this.#untilCpuMs = nowMs + MAX_CPU_MS;
    this.#isSlow ||= nowMs >= this.#untilCpuMs;
  }

  #tooMany(): WorkError {
    const count = `${this.#count.toLocaleString('en')} microsteps${this.#isSlow ? ` in ${MAX_CPU_MS / 1_000} s` : ''}`;
    return new WorkError(
      `too_many_microsteps: the machine does not come to rest after "${this.#cause}": ${roundOf(this.#places)}, ${count}`,
      { retryable: false, errorClass: 'too_many_microsteps' },
    );
  }
}

function usedCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** `x → y → x`: what comes again and again, or the last ones if nothing does. */
function roundOf(places: readonly string[]): string {
  const last = places.length - 1;
  const period = places.findIndex(
    (_, gap) => gap > 0 && gap <= last / 2 && places.every((place, at) => at < gap || place === places[at - gap]),
  );
  const round = period === -1 ? places : places.slice(last - period);
  const cut = round.length > MAX_SHOWN;
  return `${cut ? '… → ' : ''}${(cut ? round.slice(-MAX_SHOWN) : round).join(' → ')}`;
}

/** `a`, `a.b`, and of parallel states `p.a, q.b`. */
function textOf(value: unknown): string {
  if (!isObject(value)) return typeof value === 'string' ? value : '';
  return Object.entries(value)
    .map(([key, inner]) => {
      const below = textOf(inner);
      return below === '' ? key : isObject(inner) && Object.keys(inner).length > 1 ? `${key}.(${below})` : `${key}.${below}`;
    })
    .join(', ');
}
