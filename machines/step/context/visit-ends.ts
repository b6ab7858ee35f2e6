import { END } from '../../graph/edges.ts';
import type { Json } from '../../json.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { NodeOutcome } from '../../program/outcome-routes.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { Evaluation } from './evaluation.ts';

interface VisitEnd {
  readonly outcome: NodeOutcome;
  /** Of the event, which is logged already. */
  readonly data: Record<string, Json>;
}

/** The targets of a visit that follows no edge. */
const NONE: readonly string[] = [];

/** Visits that have ended, until their transition is followed: then the events of their ends get its targets (`taken`). */
export class VisitEnds {
  readonly #tables: ProgramTables;
  readonly #evaluation: Evaluation;
  readonly #ends = new LazyMap<string, VisitEnd>();

  constructor(tables: ProgramTables, evaluation: Evaluation) {
    this.#tables = tables;
    this.#evaluation = evaluation;
  }

  /** `data`: of the logged event. It gets the conditions that were evaluated for the visit. */
  add(node: string, outcome: NodeOutcome, data: Record<string, Json>): void {
    const { graph, budgetRoute } = this.#tables;
    if (graph.out(graph.existingIndexOf(node)).length > 0) data.taken = NONE;
    else if (budgetRoute === null) return;
    const evaluated = this.#evaluation.evaluated(node);
    if (evaluated.length > 0) data.evaluated = evaluated;
    this.#ends.set(node, { outcome, data });
  }

  outcomeOf(node: string): NodeOutcome | undefined {
    return this.#ends.get(node)?.outcome;
  }

  /** The transition out of a node is certain. */
  recordTaken(node: string): void {
    const end = this.#ends.get(node);
    if (end === undefined) return;
    this.#ends.delete(node);
    const { graph, routes } = this.#tables;
    const alternatives = routes[graph.existingIndexOf(node)]?.[end.outcome] ?? [];
    const chosen = this.#evaluation.chosen(node) ?? null;
    const alternative = alternatives.find(({ when }) => when === null || when === chosen);
    const targets = alternative?.live.map(({ to }) => (to === END ? 'end' : graph.idOf(to))) ?? [];
    // Most nodes have one target; several edges may lead to the same one.
    if (end.data.taken !== undefined) end.data.taken = targets.length === 1 ? targets : [...new Set(targets)];
  }

  /** The execution has not followed an edge of the node, but continues at `target`. */
  recordRerouted(node: string, target: string): void {
    const end = this.#ends.get(node);
    if (end === undefined) return;
    this.#ends.delete(node);
    end.data.taken = [target];
  }
}
