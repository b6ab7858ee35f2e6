import type { VisitProgress } from '../../events/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { Journal } from '../../journal.ts';
import type { JsonObject } from '../../json.ts';
import type { Phase } from '../../run.ts';
import { above, below, concat, forEachIn, get, put, type SortedMap } from '../../sorted-map.ts';
import { MapProgress } from './map-progress.ts';
import { OpenItems } from './open-items.ts';

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
  /** Operations of a durable function. */
  readonly journal?: Journal;
  /** The journal has grown since the attempt began. */
  readonly hasGrown?: true;
  /** How often in a row its process was lost before the journal has grown; absent = 0 (`lossesOf`). */
  readonly losses?: number;
  /** The result that a person reviews. */
  readonly result?: JsonObject;
  /** How far it is with the items of a list. */
  readonly map?: MapProgress;
  /** The items in progress, and calls of a durable function by number, each like a visit of its own. */
  readonly items?: OpenItems<ActiveVisit>;
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

/** What a visit keeps from phase to phase, in the given one. */
export function visitIn(
  phase: ActiveVisit['phase'],
  { activation, attempt, approved }: ActiveVisit,
): Pick<ActiveVisit, 'activation' | 'attempt' | 'approved' | 'phase'> {
  return approved === true ? { activation, attempt, approved, phase } : { activation, attempt, phase };
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

  /** From visits as they are, or as `toJSON` has given them. Throws if the graph has no such nodes. */
  static of(graph: Pick<Graph, 'indexOf'>, visits: Readonly<Record<string, ActiveVisit>>): ActiveVisits {
    let all = new ActiveVisits(graph, null, 0, 0, 0);
    for (const [node, visit] of Object.entries(visits)) all = all.with(node, revived(visit));
    return all;
  }

  /** With `item`: that of an item of the visit to the node. */
  get(node: string, item?: number): ActiveVisit | undefined {
    const visit = this.#entry(node)?.visit;
    return item === undefined ? visit : visit?.items?.get(item);
  }

  /** Undefined = the item is not in progress any more. Throws if the node has no items in progress. */
  withItem(node: string, item: number, visit: ActiveVisit | undefined): ActiveVisits {
    const entry = this.#entry(node);
    const items = entry?.visit.items;
    if (entry === undefined || items === undefined) throw new TypeError(`node ${node} has no items in progress`);
    const before = items.get(item);
    const next = visit === undefined ? items.without(item) : items.with(item, withProgressOf(before, visit));
    return this.#replaced(node, entry, Object.assign({}, entry.visit, { items: next }));
  }

  /** A node that was not active before comes last in the order. The progress, the losses, the journal and the calls of a visit stay with it. */
  with(node: string, visit: ActiveVisit): ActiveVisits {
    const before = this.#entry(node);
    return this.#replaced(node, before, withProgressOf(before?.visit, visit));
  }

  withoutProgress(node: string, item?: number): ActiveVisits {
    const before = this.#entry(node);
    const known = this.get(node, item);
    if (before === undefined || known?.progress === undefined) return this;
    const { progress: _, ...visit } = known;
    if (item === undefined) return this.#replaced(node, before, visit);
    return this.#replaced(node, before, Object.assign({}, before.visit, { items: before.visit.items?.with(item, visit) }));
  }

  /** Visits, each followed by those of its items that are in progress. */
  withItems(): (readonly [node: string, visit: ActiveVisit, item?: number])[] {
    return this.entries().flatMap(([node, visit]) => [
      [node, visit] as const,
      ...(visit.items?.entries().map(([item, of]) => [node, of, item] as const) ?? []),
    ]);
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

/** As a snapshot has it, and in memory. */
function revived(visit: ActiveVisit): ActiveVisit {
  const { map, items, journal } = visit;
  if (map === undefined && journal === undefined) return visit;
  return Object.assign(
    {},
    visit,
    map === undefined ? null : { map: MapProgress.of(map) },
    journal === undefined || journal instanceof Journal ? null : { journal: Journal.from(journal) },
    items === undefined || items instanceof OpenItems ? null : { items: OpenItems.of<ActiveVisit>(items) },
  );
}

/** How often in a row the process of a visit was lost, while it logged nothing. */
export function lossesOf({ losses = 0, hasGrown }: ActiveVisit): number {
  return hasGrown === true ? 0 : losses;
}

function withProgressOf(before: ActiveVisit | undefined, after: ActiveVisit): ActiveVisit {
  if (before?.activation !== after.activation) return after;
  const keepsProgress = before.progress !== undefined && after.progress === undefined;
  const keepsJournal = before.journal !== undefined && after.journal === undefined;
  const keepsCalls = before.journal !== undefined && before.items !== undefined && after.items === undefined;
  const losses = lossesOf(before);
  const keepsLosses = losses > 0 && after.losses === undefined;
  if (!keepsProgress && !keepsJournal && !keepsCalls && !keepsLosses) return after;
  const { progress, journal, items } = before;
  return Object.assign(
    {},
    after,
    keepsProgress ? { progress } : null,
    keepsLosses ? { losses } : null,
    keepsJournal ? { journal } : null,
    keepsCalls ? { items } : null,
  );
}

function countLocal(visit: ActiveVisit | undefined): number {
  return (visit?.local === true ? 1 : 0) + (visit?.items?.localWork ?? 0);
}
