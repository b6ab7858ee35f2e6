import { FAILED_NODES } from '../step/reset.ts';
import { type HistoryEvent, textOf, textsOf } from './event.ts';
import type { NodeVisit } from './node-visit.ts';
import { NodeVisits, OPEN, type VisitLimits } from './node-visits.ts';

/** How an execution has ended. */
export type EndStatus = 'completed' | 'failed' | 'cancelled' | 'limit_exceeded';

const END_STATUS: Readonly<Partial<Record<string, EndStatus>>> = {
  workflow_completed: 'completed',
  workflow_failed: 'failed',
  workflow_cancelled: 'cancelled',
  strategy_limit_hit: 'limit_exceeded',
  segment_boundary: 'limit_exceeded',
};

/** How the execution ends with an event of the type; null = it goes on. */
export function endStatusOf(type: string): EndStatus | null {
  return END_STATUS[type] ?? null;
}

/** Only the last visits and attempts decide what is going on. */
const TRACKED: VisitLimits = { visits: 4, attempts: 2 };

const STANDING: ReadonlySet<string> = new Set([
  ...Object.keys(END_STATUS),
  'workflow_paused',
  'workflow_resumed',
  'workflow_retried',
  'workflow_forked',
]);

/** Whether an event of the type changes how all nodes stand: an end, a pause, and what undoes them. */
export function changesStanding(type: string): boolean {
  return STANDING.has(type);
}

/**
 * What a log says of its execution: the visits to each node, what is in progress, and how the execution stands. Takes the events in order, from
 * the first; one costs the same however long the log is. Views of an execution are projections of it. Those of one log share it: an event
 * that is applied again, by the next of them, changes nothing.
 *
 * @example
 * const history = new History();
 * for (const event of events) history.apply(event);
 * history.visitsOf('charge')?.all(history.end !== null).at(-1)?.attempts.at(-1)?.error;
 */
export class History {
  readonly #limits: VisitLimits;
  readonly #nodes = new Map<string, NodeVisits>();
  readonly #open = new Set<string>();
  /** The last errors of the nodes that failed for good. */
  readonly #failures = new Map<string, string>();
  #event: HistoryEvent | null = null;
  #visit: NodeVisit | null = null;
  #end: EndStatus | null = null;
  #error: string | null = null;
  #isPending = false;
  #pauseReason: string | null = null;

  constructor(limits: VisitLimits = TRACKED) {
    this.#limits = limits;
  }

  /** In the order of their first events. */
  get nodes(): ReadonlyMap<string, NodeVisits> {
    return this.#nodes;
  }

  visitsOf(node: string): NodeVisits | undefined {
    return this.#nodes.get(node);
  }

  /** Nodes with a visit in progress, in the order in which those began. None once the execution has ended. */
  get open(): readonly NodeVisits[] {
    return this.#end === null ? [...this.#open].flatMap((node) => this.#nodes.get(node) ?? []) : [];
  }

  /** Null = it has not ended. */
  get end(): EndStatus | null {
    return this.#end;
  }

  /** Why it failed: the errors of the nodes that failed it, as in the API, else its own. Null = it has not. */
  get error(): string | null {
    return this.#error;
  }

  /** Was it started for later, and has neither begun nor ended? */
  get isPending(): boolean {
    return this.#end === null && this.#isPending;
  }

  /** Why an operator has paused it, '' without a reason; null = it is not paused. */
  get pauseReason(): string | null {
    return this.#end === null ? this.#pauseReason : null;
  }

  /** Returns the visit that the event belongs to, as it is after it; null if it says nothing of a visit. */
  apply(event: HistoryEvent): NodeVisit | null {
    if (event === this.#event) return this.#visit;
    this.#event = event;
    if (event.node_id === null) {
      this.#visit = null;
      this.#ofExecution(event);
    } else this.#visit = this.#ofNode(event.node_id, event);
    return this.#visit;
  }

  #ofNode(node: string, event: HistoryEvent): NodeVisit | null {
    const { type, data } = event;
    const visit = this.#visits(node).apply(event);
    if (visit !== null) this.#mark(node, OPEN.has(visit.status));
    if (type === 'node_failed' && data.retryable !== true && data.activation !== 0 && data.item === undefined) {
      const error = textOf(data.error);
      const isRejection = visit?.decisions?.at(-1)?.decision === 'rejected';
      this.#failures.set(node, isRejection ? error.replace(/^approval /, '') : error);
    }
    return visit;
  }

  #ofExecution({ type, data, created_at }: HistoryEvent): void {
    const end = endStatusOf(type);
    if (end !== null) {
      this.#end = end;
      if (end === 'failed') this.#error = this.#errorOf(textOf(data.error));
    } else if (type === 'workflow_started') this.#isPending = data.start_at !== undefined;
    else if (type === 'workflow_begun') this.#isPending = false;
    else if (type === 'workflow_paused') this.#pauseReason = textOf(data.reason);
    else if (type === 'workflow_resumed') this.#pauseReason = null;
    else if (type === 'workflow_forked') for (const visits of this.open) visits.restart(Date.parse(created_at));
    else if (type === 'workflow_retried') this.#retry(textsOf(data.nodes));
  }

  #retry(nodes: readonly string[]): void {
    this.#end = null;
    this.#error = null;
    this.#pauseReason = null;
    for (const node of nodes) {
      this.#visits(node).retry();
      this.#mark(node, true);
    }
  }

  /** The errors of the failed nodes in place of their names. */
  #errorOf(error: string): string {
    const nodes = error.startsWith(FAILED_NODES) ? error.slice(FAILED_NODES.length).split(', ') : [];
    const errors = nodes.flatMap((node) => (this.#failures.has(node) ? [`${node}: ${this.#failures.get(node)}`] : []));
    return errors.length === 0 ? error : errors.join('; ');
  }

  #visits(node: string): NodeVisits {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const visits = new NodeVisits(node, this.#limits);
    this.#nodes.set(node, visits);
    return visits;
  }

  #mark(node: string, isOpen: boolean): void {
    if (isOpen) this.#open.add(node);
    else this.#open.delete(node);
  }
}
