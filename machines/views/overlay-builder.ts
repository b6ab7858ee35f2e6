import { at } from '../graph/at.ts';
import { END, RESULT_ROLES } from '../graph/edges.ts';
import type { Json, JsonObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import { type Alternative, type NodeOutcome, type OutcomeRoutes, outcomeRoutes } from '../program/outcome-routes.ts';
import type { TimedEvent } from '../replay/log.ts';
import { heldCondition } from '../step/actions/conditions.ts';
import type { DrawnWorkflow } from './drawn-workflow.ts';
import type { ExecutionOverlay, ExecutionStatus, NodeOverlay, NodeStatus } from './execution-overlay.ts';

const END_STATUS: Readonly<Record<string, ExecutionStatus>> = {
  workflow_completed: 'completed',
  workflow_failed: 'failed',
  workflow_cancelled: 'cancelled',
  strategy_limit_hit: 'limit_exceeded',
  segment_boundary: 'limit_exceeded',
};

const UNFINISHED_ONES: readonly NodeStatus[] = ['queued', 'active', 'waiting', 'held', 'retrying'];
const UNFINISHED: ReadonlySet<NodeStatus> = new Set(UNFINISHED_ONES);
const UNVISITED: NodeOverlay = { status: 'active', visits: 0, retries: 0, sinceMs: null, durationMs: null, error: null };

/** What has changed since it was asked for last. */
export interface OverlayChanges {
  /** Ids of nodes. */
  readonly nodes: ReadonlySet<string>;
  /** Indexes of edges of the graph. */
  readonly edges: ReadonlySet<number>;
}

/**
 * Builds an execution's overlay from its log: the status of each node, and how often each edge was taken. Takes the events in order, from the
 * first. `nodeOverlay`, `timesTaken` and `takeChanges` follow an execution without a look at the whole graph for each event.
 */
export class OverlayBuilder {
  readonly #program: DrawnWorkflow;
  readonly #routes = new Map<number, OutcomeRoutes>();
  readonly #nodes = new Map<string, NodeOverlay>();
  readonly #visits = new Map<string, number>();
  /** Outcome of a visit that is about to end, from the event before its end. */
  readonly #ending = new Map<string, NodeOutcome>();
  readonly #taken: number[];
  /** Sequences at which an edge last led to the node, and at which a visit last began. */
  readonly #reached = new Map<number, number>();
  readonly #began = new Map<string, number>();
  #status: ExecutionStatus = 'running';
  #suspended = false;
  /** It has left the way of its edges for the node that `on_budget_exceeded` names. */
  #rerouted = false;
  #sequence = 0;
  #startedAtMs: number | null = null;
  #atMs: number | null = null;
  #error: string | null = null;
  /** Nodes that failed for good without an edge to follow, with their errors. */
  readonly #failures = new Map<string, string>();
  /** Number of nodes by status. */
  readonly #statuses = new Map<NodeStatus, number>();
  #changedNodes = new Set<string>();
  #changedEdges = new Set<number>();

  constructor(program: DrawnWorkflow) {
    this.#program = program;
    this.#taken = new Array<number>(program.tables.graph.edges.reduce((most, edge) => Math.max(most, edge.index), -1) + 1).fill(
      0,
    );
  }

  apply(event: TimedEvent): void {
    this.#sequence = event.sequence;
    this.#startedAtMs ??= event.at_ms;
    this.#atMs = event.at_ms;
    const { type, node_id, data } = event;
    const end = END_STATUS[type];
    if (end !== undefined) {
      this.#status = end;
      this.#error = end === 'failed' ? this.#failure(data) : null;
      this.#markAll();
    }
    if (node_id === null) this.#executionEvent(type, data);
    // Detached work belongs to no visit.
    else if (data.activation !== 0 && this.#program.tables.graph.indexOf(node_id) !== undefined) this.#nodeEvent(event, node_id);
  }

  get overlay(): ExecutionOverlay {
    const nodes = new Map<string, NodeOverlay>();
    for (const node of [...this.#nodes.keys(), ...this.#deferred()]) {
      const overlay = this.nodeOverlay(node);
      if (overlay !== null) nodes.set(node, overlay);
    }
    return {
      status: this.status,
      suspended: this.suspended,
      sequence: this.#sequence,
      startedAtMs: this.#startedAtMs,
      atMs: this.#atMs,
      ended: this.#status !== 'running',
      error: this.#error,
      nodes,
      taken: [...this.#taken],
      rerouted: this.#rerouted,
    };
  }

  get status(): ExecutionStatus {
    return this.suspended || (this.#status === 'running' && this.#allWait()) ? 'paused' : this.#status;
  }

  get suspended(): boolean {
    return this.#status === 'running' && this.#suspended;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get rerouted(): boolean {
    return this.#rerouted;
  }

  /** Null = nothing has happened to the node. */
  nodeOverlay(node: string): NodeOverlay | null {
    const overlay = this.#nodes.get(node) ?? null;
    // Nodes that were in progress when the execution ended count as cancelled, until a retry.
    if (this.#status !== 'running')
      return overlay !== null && UNFINISHED.has(overlay.status) ? { ...overlay, status: 'cancelled' } : overlay;
    return this.#suspended && this.#isDeferred(node) ? { ...(overlay ?? UNVISITED), status: 'held' } : overlay;
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

  #executionEvent(type: string, data: JsonObject): void {
    if (type === 'workflow_started') {
      const { graph } = this.#program.tables;
      this.#reached.set(graph.start, 1);
    } else if (type === 'workflow_paused' || type === 'workflow_resumed') {
      this.#suspended = type === 'workflow_paused';
      this.#markAll();
    } else if (type === 'workflow_forked') this.#fork();
    else if (type === 'workflow_retried') {
      this.#status = 'running';
      this.#error = null;
      this.#failures.clear();
      this.#suspended = false;
      this.#markAll();
      const nodes = Array.isArray(data.nodes) ? (data.nodes as readonly Json[]) : [];
      for (const node of nodes)
        this.#update(String(node), { status: 'retrying', retries: this.#overlayOf(String(node)).retries + 1 });
    }
  }

  /** The errors of the nodes that failed it, as in the API; else its own. */
  #failure(data: JsonObject): string {
    const errors = [...this.#failures].map(([node, error]) => `${node}: ${error}`);
    return errors.length === 0 ? String(data.error) : errors.join('; ');
  }

  /** Nodes that were in progress in the origin begin anew. */
  #fork(): void {
    for (const [node, { status }] of this.#nodes) if (UNFINISHED.has(status)) this.#update(node, { sinceMs: this.#atMs });
  }

  #nodeEvent({ type, data, at_ms: atMs, sequence }: TimedEvent, node: string): void {
    switch (type) {
      case 'node_scheduled':
        this.#begin(node, data, atMs, sequence);
        this.#update(node, { status: 'queued' });
        break;
      case 'node_started':
        this.#begin(node, data, atMs, sequence);
        this.#update(node, { status: this.#parks(node) ? 'waiting' : 'active' });
        break;
      case 'tool_approval_required':
        this.#begin(node, data, atMs, sequence);
        this.#update(node, { status: 'held' });
        break;
      case 'child_workflow_waiting':
        this.#update(node, { status: 'queued' });
        break;
      case 'child_workflow_started':
        this.#update(node, { status: 'active' });
        break;
      case 'child_workflow_paused':
        this.#update(node, { status: 'waiting' });
        break;
      case 'child_workflow_resumed':
        this.#update(node, { status: 'active' });
        break;
      case 'eval_scored':
        if (data.action === 'retry_with_feedback') this.#ending.set(node, 'again');
        break;
      case 'interrupt_raised':
        this.#update(node, { status: 'waiting' });
        break;
      case 'approval_received':
        this.#ending.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
        break;
      case 'timer_fired':
        this.#ending.set(node, 'timeout');
        break;
      case 'retry_scheduled':
      case 'node_parked':
        this.#update(node, { status: 'retrying', retries: this.#overlayOf(node).retries + 1 });
        break;
      case 'node_failed':
        this.#failed(node, data, atMs, sequence);
        break;
      case 'node_completed':
        this.#completed(node, data, atMs, sequence);
        break;
      case 'node_skipped':
        this.#reached.delete(this.#program.tables.graph.indexOf(node) ?? -1);
        this.#changedNodes.add(node);
        // A node that completed in an earlier iteration of its loop stays done.
        if (this.#overlayOf(node).visits === 0) this.#update(node, { status: 'skipped' });
        break;
      case 'node_cancelled':
        this.#end(node, atMs, 'cancelled', null);
        break;
    }
  }

  /** An event of another activation begins a visit; one of the same belongs to another attempt. */
  #begin(node: string, data: JsonObject, atMs: number, sequence: number): void {
    const activation = typeof data.activation === 'number' ? data.activation : 1;
    if (this.#visits.get(node) === activation) return;
    const { graph } = this.#program.tables;
    this.#visits.set(node, activation);
    const index = graph.indexOf(node);
    if (index !== undefined && index === graph.budgetNode && !this.#reached.has(index)) this.#rerouted = true;
    this.#began.set(node, sequence);
    this.#ending.delete(node);
    this.#update(node, { visits: this.#overlayOf(node).visits + 1, sinceMs: atMs, durationMs: null, error: null });
  }

  #failed(node: string, data: JsonObject, atMs: number, sequence: number): void {
    this.#begin(node, data, atMs, sequence);
    const error = String(data.error);
    const shown = this.#ending.get(node) === 'rejected' ? error.replace(/^approval /, '') : error;
    this.#end(node, atMs, 'failed', null);
    this.#update(node, { error });
    if (data.retryable !== false) return;
    const followed = this.#follow(node, data, this.#routesOf(node).failed ?? [], sequence);
    if (!followed) this.#failures.set(node, shown);
  }

  #completed(node: string, data: JsonObject, atMs: number, sequence: number): void {
    this.#begin(node, data, atMs, sequence);
    this.#end(node, atMs, 'done', this.#isWork(node) && typeof data.duration_ms === 'number' ? data.duration_ms : null);
    const routes = this.#routesOf(node);
    const ending = RESULT_ROLES.find((role) => role === data.route) ?? this.#ending.get(node);
    const alternatives = (ending === undefined ? undefined : routes[ending]) ?? routes.ok ?? [];
    this.#follow(node, data, alternatives, sequence);
  }

  #end(node: string, atMs: number, status: NodeStatus, reportedMs: number | null): void {
    const { sinceMs } = this.#overlayOf(node);
    const isControl = this.#program.tables.graph.isControl(this.#program.tables.graph.indexOf(node) ?? 0);
    const durationMs = reportedMs ?? (sinceMs === null || isControl ? null : atMs - sinceMs);
    this.#update(node, { status, durationMs });
  }

  /** The duration of work is reported with its result; that of other nodes follows from the times of their events. */
  #isWork(node: string): boolean {
    const { kind } = this.#program.tables.nodeOf(node);
    return definitionOf(kind).behaviour(kind) === 'work';
  }

  /** Returns whether an edge led on. */
  #follow(node: string, data: JsonObject, alternatives: readonly Alternative[], sequence: number): boolean {
    const chosen = this.#logged(data, alternatives);
    for (const edge of chosen?.live ?? []) {
      this.#taken[edge.index] = at(this.#taken, edge.index) + 1;
      this.#changedEdges.add(edge.index);
      if (edge.to === END) continue;
      this.#changedNodes.add(this.#program.tables.graph.idOf(edge.to));
      this.#reached.set(edge.to, sequence);
    }
    this.#ending.delete(node);
    return (chosen?.live.length ?? 0) > 0;
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
    return definitionOf(kind).joins(kind) === null && (this.#began.get(node) ?? 0) < reachedAt;
  }

  /** Everything in progress waits. */
  #allWait(): boolean {
    const of = (status: NodeStatus): number => this.#statuses.get(status) ?? 0;
    return of('waiting') > 0 && UNFINISHED_ONES.every((status) => status === 'waiting' || of(status) === 0);
  }

  /** For the events that change what all nodes show: an end, a pause, and what undoes them. */
  #markAll(): void {
    const { graph } = this.#program.tables;
    for (const node of this.#nodes.keys()) this.#changedNodes.add(node);
    for (const index of this.#reached.keys()) this.#changedNodes.add(graph.idOf(index));
  }

  #parks(node: string): boolean {
    const { kind } = this.#program.tables.nodeOf(node);
    const behaviour = definitionOf(kind).behaviour(kind);
    return behaviour === 'approval' || behaviour === 'wait';
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

  #overlayOf(node: string): NodeOverlay {
    return this.#nodes.get(node) ?? UNVISITED;
  }

  #update(node: string, change: Partial<NodeOverlay>): void {
    const before = this.#nodes.get(node);
    const after = { ...(before ?? UNVISITED), ...change };
    if (before?.status !== after.status) {
      if (before !== undefined) this.#statuses.set(before.status, (this.#statuses.get(before.status) ?? 0) - 1);
      this.#statuses.set(after.status, (this.#statuses.get(after.status) ?? 0) + 1);
    }
    this.#nodes.set(node, after);
    this.#changedNodes.add(node);
  }
}
