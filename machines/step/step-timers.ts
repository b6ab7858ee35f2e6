import type { ProgramTables } from '../compile/tables.ts';
import type { Effect } from '../run.ts';
import { type Context, own } from './context.ts';

/** Where a node stands while such a timer of it is armed. */
export const PHASE_OF_TIMER = { retry: 'backoff', wait: 'waiting', approval: 'approval' } as const;

/** The timers one step sets and clears. Only what is left of that at its end is an effect. */
export class StepTimers {
  readonly #changes = new Map<string, { readonly first: 'set' | 'clear'; readonly delayMs: number | null }>();
  #fired: string | null = null;

  /** The one that the step is about: it is gone already. */
  noteFired(id: string): void {
    this.#fired = id;
  }

  set(id: string, delayMs: number): void {
    this.#note(id, 'set', delayMs);
  }

  clear(id: string): void {
    this.#note(id, 'clear', null);
  }

  #note(id: string, change: 'set' | 'clear', delayMs: number | null): void {
    const first = this.#changes.get(id)?.first ?? change;
    this.#changes.delete(id);
    this.#changes.set(id, { first, delayMs });
  }

  effects(statics: ProgramTables, context: Context, nowMs: number): readonly Effect[] {
    if (this.#changes.size === 0) return [];
    return [...this.#changes].flatMap(([id, { first, delayMs }]): Effect[] => {
      // Set and cleared within this step, or just fired: there is nothing to clear.
      const cleared: Effect[] = first === 'clear' && id !== this.#fired ? [{ type: 'clear_timer', id }] : [];
      if (delayMs === null) return cleared;
      const armed = statics.timers.get(id);
      if (armed === undefined) throw new TypeError(`unknown timer ${id}`);
      const { node, kind } = armed;
      // The time of a node that is kept starts when it begins; that of its last visit is over.
      if (kind !== 'retry' && context.hold?.kept.includes(node) === true) return cleared;
      const activation = own(context.active, node)?.activation ?? 1;
      return [{ type: 'set_timer', id, node, activation, atMs: nowMs + delayMs, kind }];
    });
  }
}
