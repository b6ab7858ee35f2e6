import { LazyMap } from '../../lazy-map.ts';
import type { ProgramTables } from '../../program/tables.ts';
import { type TimerPurpose, timerPurpose } from '../../program/timers.ts';
import type { Effect, TimerKind } from '../../run.ts';
import type { ActiveVisit } from './active-visits.ts';
import type { Context } from './context.ts';

/** The phase of a node while a timer of this kind is set for it. */
const PHASE_OF_TIMER = { retry: 'backoff', wait: 'waiting', approval: 'approval', items: 'items' } as const;

/** Is a timer of the kind set for a node with this visit, and does it count? In-process attempts are limited by their runtime. */
export function isSetIn(active: ActiveVisit | undefined, kind: TimerKind): boolean {
  if (kind === 'start') return false;
  if (kind !== 'attempt') return active?.phase === PHASE_OF_TIMER[kind];
  return active?.local !== true && (active?.phase === 'queued' || active?.phase === 'running');
}

interface TimerChange {
  readonly first: 'set' | 'clear';
  /** Null = cleared. */
  readonly delayMs: number | null;
  /** Of the timer of an operation, which the tables do not have. */
  readonly purpose: TimerPurpose | null;
}

/** The timers that one step sets and clears. Their last changes become effects at the end of the step. */
export class StepTimers {
  readonly #changes = new LazyMap<string, TimerChange>();
  #fired: string | null = null;

  /** The step was caused by this timer, so it is no longer set. */
  noteFired(id: string): void {
    this.#fired = id;
  }

  set(id: string, delayMs: number): void {
    this.#note(id, 'set', delayMs);
  }

  /** Sets the timer of an operation. */
  setOperation(id: string, delayMs: number, purpose: TimerPurpose): void {
    this.#note(id, 'set', delayMs, purpose);
  }

  clear(id: string): void {
    this.#note(id, 'clear', null);
  }

  #note(id: string, change: 'set' | 'clear', delayMs: number | null, purpose: TimerPurpose | null = null): void {
    const first = this.#changes.get(id)?.first ?? change;
    this.#changes.delete(id);
    this.#changes.set(id, { first, delayMs, purpose });
  }

  effects(tables: ProgramTables, context: Context, nowMs: number): readonly Effect[] {
    if (this.#changes.size === 0) return [];
    return [...this.#changes.entries()].flatMap(([id, { first, delayMs, purpose }]): Effect[] => {
      // A timer that this step has set itself, or that has just fired, needs no clearing.
      const cleared: Effect[] = first === 'clear' && id !== this.#fired ? [{ type: 'clear_timer', id }] : [];
      if (delayMs === null) return cleared;
      const armed = purpose ?? timerPurpose(tables.timers, id);
      if (armed === undefined) throw new TypeError(`unknown timer ${id}`);
      const { node, kind } = armed;
      // The time of a deferred node starts when the node begins; that of its last visit is over.
      if (purpose === null && kind !== 'retry' && context.suspension?.deferred.includes(node) === true) return cleared;
      const activation = context.active.get(node)?.activation ?? 1;
      return [{ type: 'set_timer', id, node, activation, atMs: nowMs + delayMs, kind }];
    });
  }
}
