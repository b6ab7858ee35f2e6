import type { VisitProgress } from '../../events/index.ts';
import type { Graph } from '../../graph/graph.ts';
import type { JsonObject } from '../../json.ts';
import type { Phase } from '../../run.ts';
import { above, below, concat, forEachIn, get, put, type SortedMap } from '../../sorted-map.ts';
/** The current visit to a node that has begun and not ended. */
export interface ActiveVisit {
  readonly activation: number;
  readonly attempt: number;
  readonly phase: Phase;
  /** Sequence of the event with which it began to wait, or failed (awaiting_approval, approval, waiting, failed only). */
  readonly since?: number;
  /** Time of that event, in milliseconds since 1970. */
  readonly atMs?: number;
  /** The work is done in this process (queued, running). */
  readonly local?: true;
  /** Correlation key of the external event that it waits for. */
  readonly key?: string;
  /** Id of its child execution. */
  readonly child?: string;
  /** The child is paused. */
  readonly paused?: true;
  /** The rendered message of an approval. */
  readonly description?: string;
  /** What a policy holds it for (awaiting_approval only); absent = what the policy verdict of its workflow says. */
  readonly held?: HeldFor;
  /** A person has approved it in spite of the tenant's policy. */
  readonly approved?: true;
  /** Data of the last event of each type that its attempts have logged. */
  readonly progress?: VisitProgress;
  /** The result that a person reviews. */
  readonly result?: JsonObject;
}

export interface HeldFor {
  /** The policy name. */
  readonly name: string;
  /** The limit of its autonomy that has been reached. */
  readonly limit?: JsonObject;
  /** The rule that a policy node has found. */
  readonly rule?: string;
  /** The tool calls of a model that it is about to carry out. */
  readonly calls?: readonly JsonObject[];
}

/** What a visit keeps from phase to phase. */
export function visitOf({
  activation,
  attempt,
  approved,
}: ActiveVisit): Pick<ActiveVisit, 'activation' | 'attempt' | 'approved'> {
  return approved === true ? { activation, attempt, approved } : { activation, attempt };
}

interface Entry {
  readonly node: string;
  readonly visit: ActiveVisit;
  /** Ascends with the time at which the nodes became active. */
  readonly order: number;
}

/** The active visits of an execution, by node. Immutable; a change copies only what it changes, however many visits there are. */
export class ActiveVisits {
  readonly size: number;
  /** Number of nodes with in-process work in progress, including child executions that are being started. */
  readonly localWork: number;
  readonly #graph: Pick<Graph, 'indexOf'>;
  /** By the index of the node. */
  readonly #entries: SortedMap<Entry>;
  readonly #nextOrder: number;

  private constructor(
    graph: Pick<Graph, 'indexOf'>,
    entries: SortedMap<Entry>,
    size: number,
    localWork: number,
    nextOrder: number,
  ) {
    this.size = size;
    this.localWork = localWork;
    this.#graph = graph;
    this.#entries = entries;
    this.#nextOrder = nextOrder;
  }

  /** Throws if the graph has no such nodes. */
  static of(graph: Pick<Graph, 'indexOf'>, visits: Readonly<Record<string, ActiveVisit>>): ActiveVisits {
    let all = new ActiveVisits(graph, null, 0, 0, 0);
    for (const [node, visit] of Object.entries(visits)) all = all.with(node, visit);
    return all;
  }

  get(node: string): ActiveVisit | undefined {
    return this.#entry(node)?.visit;
  }

  /** A node that was not active before comes last in the order. The progress of a visit stays with it. */
  with(node: string, visit: ActiveVisit): ActiveVisits {
    const before = this.#entry(node);
    return this.#replaced(node, before, before === undefined ? visit : withProgressOf(before.visit, visit));
  }

  withoutProgress(node: string): ActiveVisits {
    const before = this.#entry(node);
    if (before?.visit.progress === undefined) return this;
    const { progress: _, ...visit } = before.visit;
    return this.#replaced(node, before, visit);
  }

  #replaced(node: string, before: Entry | undefined, visit: ActiveVisit): ActiveVisits {
    const order = before?.order ?? this.#nextOrder;
    return new ActiveVisits(
      this.#graph,
      put(this.#entries, this.#indexOf(node), { node, visit, order }),
      this.size + (before === undefined ? 1 : 0),
      this.localWork + countLocal(visit) - countLocal(before?.visit),
      Math.max(order + 1, this.#nextOrder),
    );
  }

  without(node: string): ActiveVisits {
    const before = this.#entry(node);
    if (before === undefined) return this;
    const index = this.#indexOf(node);
    const left = concat(below(this.#entries, index), above(this.#entries, index));
    return new ActiveVisits(this.#graph, left, this.size - 1, this.localWork - countLocal(before.visit), this.#nextOrder);
  }

  /** In the order in which the nodes became active. */
  entries(): (readonly [node: string, visit: ActiveVisit])[] {
    const entries: Entry[] = [];
    forEachIn(this.#entries, 0, Number.POSITIVE_INFINITY, (entry) => entries.push(entry));
    return entries.sort((a, b) => a.order - b.order).map(({ node, visit }) => [node, visit]);
  }

  nodes(): string[] {
    return this.entries().map(([node]) => node);
  }

  toJSON(): Readonly<Record<string, ActiveVisit>> {
    return Object.fromEntries(this.entries());
  }

  #entry(node: string): Entry | undefined {
    if (this.#entries === null) return undefined;
    const index = this.#graph.indexOf(node);
    return index === undefined ? undefined : get(this.#entries, index);
  }

  #indexOf(node: string): number {
    const index = this.#graph.indexOf(node);
    if (index === undefined) throw new TypeError(`no node ${node}`);
    return index;
  }
}

function withProgressOf(before: ActiveVisit, after: ActiveVisit): ActiveVisit {
  const isKept = before.progress !== undefined && after.progress === undefined && before.activation === after.activation;
  return isKept ? { ...after, progress: before.progress } : after;
}

function countLocal(visit: ActiveVisit | undefined): number {
  return visit?.local === true ? 1 : 0;
}
