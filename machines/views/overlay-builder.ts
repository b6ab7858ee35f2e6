import { at } from '../graph/at.ts';
import { END, RESULT_ROLES } from '../graph/edges.ts';
import type { HistoryEvent } from '../history/event.ts';
import { changesStanding, History } from '../history/history.ts';
import { OPEN } from '../history/node-visits.ts';
import type { JsonObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import { type Alternative, type NodeOutcome, type OutcomeRoutes, outcomeRoutes } from '../program/outcome-routes.ts';
import { heldCondition } from '../step/actions/conditions.ts';
import type { DrawnWorkflow } from './drawn-workflow.ts';
import type { ExecutionOverlay, ExecutionStatus, NodeOverlay } from './execution-overlay.ts';
import { MachineStates } from './machine-states.ts';

const UNVISITED: NodeOverlay = {
  status: 'active',
  visits: 0,
  retries: 0,
  sinceMs: null,
  durationMs: null,
  items: null,
  error: null,
};

/** What has changed since it was asked for last. */
export interface OverlayChanges {
  /** Ids of nodes. */
  readonly nodes: ReadonlySet<string>;
  /** Indexes of edges of the graph. */
  readonly edges: ReadonlySet<number>;
}

/**
 * An execution's history on its graph: the status of each node, and how often each edge was taken. `nodeOverlay`, `timesTaken` and
 * `takeChanges` follow an execution without a look at the whole graph for each event.
 */
export class OverlayBuilder {
  readonly history: History;
  readonly #program: DrawnWorkflow;
  readonly #routes = new Map<number, OutcomeRoutes>();
  /** Outcome of a visit that is about to end, from the event before its end. */
  readonly #ending = new Map<string, NodeOutcome>();
  readonly #taken: number[];
  /** Sequences at which an edge last led to the node. */
  readonly #reached = new Map<number, number>();
  /** It has left the way of its edges for the node that `on_budget_exceeded` names. */
  #rerouted = false;
  /** By node. */
  readonly #machines = new Map<string, MachineStates>();
  #sequence = 0;
  #startedAtMs: number | null = null;
  #atMs: number | null = null;
  #changedNodes = new Set<string>();
  #changedEdges = new Set<number>();

  constructor(program: DrawnWorkflow, history = new History()) {
    this.history = history;
    this.#program = program;
    this.#taken = new Array<number>(program.tables.graph.edges.reduce((most, edge) => Math.max(most, edge.index), -1) + 1).fill(
      0,
    );
  }

  apply(event: HistoryEvent): void {
    const { type, node_id, data, sequence, created_at } = event;
    this.history.apply(event);
    this.#sequence = sequence;
    this.#atMs = Date.parse(created_at);
    this.#startedAtMs ??= this.#atMs;
    if (type === 'workflow_begun' || (type === 'workflow_started' && !this.history.isPending))
      this.#reached.set(this.#program.tables.graph.start, 1);
    else if (changesStanding(type)) this.#markAll();
    else if (node_id === null) return;
    // Detached work belongs to no visit.
    else if (data.activation !== 0 && this.#program.tables.graph.indexOf(node_id) !== undefined) this.#nodeEvent(event, node_id);
  }

  get overlay(): ExecutionOverlay {
    const nodes = new Map<string, NodeOverlay>();
    for (const node of [...this.history.nodes.keys(), ...this.#deferred()]) {
      const overlay = this.nodeOverlay(node);
      if (overlay !== null) nodes.set(node, overlay);
    }
    return {
      status: this.status,
      suspended: this.suspended,
      sequence: this.#sequence,
      startedAtMs: this.#startedAtMs,
      atMs: this.#atMs,
      ended: this.history.end !== null,
      error: this.history.error,
      nodes,
      machines: new Map(
        [...this.#machines].map(([node, { active, entered }]) => [node, { status: this.status, active, entered }]),
      ),
      taken: [...this.#taken],
      rerouted: this.#rerouted,
    };
  }

  get status(): ExecutionStatus {
    if (this.history.end !== null) return this.history.end;
    if (this.suspended || this.#allWait()) return 'paused';
    return this.history.isPending ? 'pending' : 'running';
  }

  get suspended(): boolean {
    return this.history.pauseReason !== null;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get rerouted(): boolean {
    return this.#rerouted;
  }

  /** Null = nothing has happened to the node. */
  nodeOverlay(node: string): NodeOverlay | null {
    const overlay = this.#visited(node);
    // Nodes that were in progress when the execution ended count as cancelled, until a retry.
    if (this.history.end !== null)
      return overlay !== null && OPEN.has(overlay.status) ? { ...overlay, status: 'cancelled' } : overlay;
    return this.suspended && this.#isDeferred(node) ? { ...(overlay ?? UNVISITED), status: 'held' } : overlay;
  }

  /** How often an edge of the graph was taken. */
  timesTaken(edge: number): number {
    return this.#taken[edge] ?? 0;
  }

  takeChanges(): OverlayChanges {
    const changes = { nodes: this.#changedNodes, edges: this.#changedEdges };
    this.#changedNodes = new Set();
    this.#changedEdges = new Set();
    return changes;
  }

  #visited(node: string): NodeOverlay | null {
    const { graph } = this.#program.tables;
    const visits = this.history.visitsOf(node);
    const index = graph.indexOf(node);
    if (visits === undefined || index === undefined) return null;
    // A node that completed in an earlier iteration of its loop stays done when it is skipped.
    if (visits.now === null)
      return visits.all(false).some(({ status }) => status === 'skipped') ? { ...UNVISITED, status: 'skipped' } : null;
    const { visit, status, visits: count, retries, sinceMs } = visits.now;
    const durationMs = graph.isControl(index) ? null : visits.now.durationMs;
    const error = visit.attempts.findLast((attempt) => attempt.error !== undefined)?.error ?? null;
    return { status, visits: count, retries, sinceMs, durationMs, items: visit.items ?? null, error };
  }

  #nodeEvent({ type, data, sequence }: HistoryEvent, node: string): void {
    const { graph } = this.#program.tables;
    this.#changedNodes.add(node);
    if (type === 'machine_transitioned') {
      const states = this.#machines.get(node) ?? new MachineStates();
      this.#machines.set(node, states);
      states.apply(data, this.#atMs ?? 0);
    }
    // An item does not end the visit.
    if (data.item !== undefined) return;
    if (this.history.visitsOf(node)?.now?.began === sequence) {
      this.#ending.delete(node);
      const index = graph.indexOf(node) ?? -1;
      if (index === graph.budgetNode && !this.#reached.has(index)) this.#rerouted = true;
    }
    switch (type) {
      case 'eval_scored':
        if (data.action === 'retry_with_feedback') this.#ending.set(node, 'again');
        break;
      case 'approval_received':
        this.#ending.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
        break;
      case 'timer_fired':
        this.#ending.set(node, 'timeout');
        break;
      case 'node_failed':
        if (data.retryable !== true) this.#follow(node, data, this.#routesOf(node).failed ?? [], sequence);
        break;
      case 'node_completed':
        this.#follow(node, data, this.#routesOfOutcome(node, data), sequence);
        break;
      case 'node_skipped':
        this.#reached.delete(graph.indexOf(node) ?? -1);
        break;
    }
  }

  #routesOfOutcome(node: string, data: JsonObject): readonly Alternative[] {
    const routes = this.#routesOf(node);
    const ending = RESULT_ROLES.find((role) => role === data.route) ?? this.#ending.get(node);
    return (ending === undefined ? undefined : routes[ending]) ?? routes.ok ?? [];
  }

  #follow(node: string, data: JsonObject, alternatives: readonly Alternative[], sequence: number): void {
    const chosen = this.#logged(data, alternatives);
    for (const edge of chosen?.live ?? []) {
      this.#taken[edge.index] = at(this.#taken, edge.index) + 1;
      this.#changedEdges.add(edge.index);
      if (edge.to === END) continue;
      this.#changedNodes.add(this.#program.tables.graph.idOf(edge.to));
      this.#reached.set(edge.to, sequence);
    }
    this.#ending.delete(node);
  }

  /** The alternative that the log names by its targets and, where several lead to the same targets, by the condition that held. */
  #logged(data: JsonObject, alternatives: readonly Alternative[]): Alternative | undefined {
    const { graph } = this.#program.tables;
    const targets = JSON.stringify(data.taken);
    const matching = alternatives.filter(
      ({ live }) => JSON.stringify([...new Set(live.map(({ to }) => (to === END ? 'end' : graph.idOf(to))))]) === targets,
    );
    const held = heldCondition(data);
    return matching.find(({ when }) => when === held) ?? matching[0];
  }

  #deferred(): string[] {
    const { graph } = this.#program.tables;
    return this.suspended ? [...this.#reached.keys()].map((index) => graph.idOf(index)).filter((id) => this.#isDeferred(id)) : [];
  }

  /** Was the node reached while the execution was suspended? A join may still wait for other sources. */
  #isDeferred(node: string): boolean {
    const { graph } = this.#program.tables;
    const index = graph.indexOf(node) ?? -1;
    const reachedAt = this.#reached.get(index);
    if (reachedAt === undefined) return false;
    const { kind } = graph.node(index);
    return definitionOf(kind).joins(kind) === null && (this.history.visitsOf(node)?.now?.began ?? 0) < reachedAt;
  }

  /** Everything in progress waits. */
  #allWait(): boolean {
    const { graph } = this.#program.tables;
    const statuses = this.history.open.flatMap(({ node, now }) =>
      now !== null && OPEN.has(now.status) && graph.indexOf(node) !== undefined ? [now.status] : [],
    );
    return statuses.length > 0 && statuses.every((status) => status === 'waiting');
  }

  #markAll(): void {
    const { graph } = this.#program.tables;
    for (const node of this.history.nodes.keys()) this.#changedNodes.add(node);
    for (const index of this.#reached.keys()) this.#changedNodes.add(graph.idOf(index));
  }

  #routesOf(node: string): OutcomeRoutes {
    const { graph } = this.#program.tables;
    const index = graph.indexOf(node) ?? 0;
    const known = this.#routes.get(index);
    if (known !== undefined) return known;
    const routes = graph.rank[index] === -1 ? {} : outcomeRoutes(graph, index);
    this.#routes.set(index, routes);
    return routes;
  }
}
