import type { ProgramTables } from '../../program/tables.ts';
import type { MachineEvent } from '../machine-event.ts';
import type { Draft } from './context.ts';
import { type Measure, own } from './context.ts';

/** What nodes that score the work of others have counted and measured. */
export class Scores {
  readonly #tables: ProgramTables;
  readonly #draft: Draft;

  constructor(tables: ProgramTables, draft: Draft) {
    this.#tables = tables;
    this.#draft = draft;
  }

  /** How often a node has sent the work before it back. */
  setRetries(node: string, count: number): void {
    const before = this.#draft.now.evalRetries;
    if (count > 0) this.#draft.now.evalRetries = { ...before, [node]: count };
    else if (before !== undefined && own(before, node) !== undefined) this.#draft.now.evalRetries = without(before, [node]);
  }

  /** Another iteration of a loop begins otherwise than by scores: the nodes in it may send their work back anew. */
  resetRetries(head: string): void {
    const { evalRetries } = this.#draft.now;
    if (evalRetries === undefined) return;
    const { graph } = this.#tables;
    const body = graph.loopFrom(graph.existingIndexOf(head))?.body;
    const inside = Object.keys(evalRetries).filter((node) => body?.has(graph.existingIndexOf(node)) === true);
    if (inside.length > 0) this.#draft.now.evalRetries = without(evalRetries, inside);
  }

  /** Notes what the work of a node took, for the nodes that score it. */
  measure(node: string, event: MachineEvent): void {
    for (const scoring of this.#tables.measured.get(node) ?? []) {
      const { measures } = this.#draft.now;
      const measured = { ...own(measures ?? {}, scoring), [node]: measureOf(event) };
      this.#draft.now.measures = { ...measures, [scoring]: measured };
    }
  }

  clearMeasures(node: string): void {
    const { measures } = this.#draft.now;
    if (measures !== undefined && own(measures, node) !== undefined) this.#draft.now.measures = without(measures, [node]);
  }
}

/** The duration and the cost of a result. Work without a usage costs nothing; a usage without a cost is one of unknown cost. */
function measureOf(event: MachineEvent): Measure {
  if (event.type !== 'done') return [null, null];
  const { durationMs, usage } = event;
  return [durationMs, usage === undefined ? 0 : (usage.cost_usd ?? null)];
}

function without<V>(record: Readonly<Record<string, V>>, keys: readonly string[]): Record<string, V> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
