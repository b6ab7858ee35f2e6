import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { inline } from '../cli/terminal/text.ts';
import { duration } from './time.ts';

/** An event as the API gives it; `data` holds the fields of its type. */
export interface TimelineEvent {
  readonly sequence: number;
  readonly type: string;
  readonly node_id: string | null;
  readonly created_at: string;
  /** Who caused it, and for whom as it said. */
  readonly actor_id?: string;
  readonly on_behalf_of?: string;
  readonly data: JsonObject;
}

export type EntryStatus = 'running' | 'done' | 'failed' | 'retry' | 'waiting' | 'skipped' | 'cancelled' | 'note';

/** Something that happened, as one line for a person. */
export interface TimelineEntry {
  readonly status: EntryStatus;
  readonly node: string | null;
  readonly durationMs: number | null;
  /** 0-based, as on the wire; null for nodes that make no attempts (control nodes, waits). */
  readonly attempt: number | null;
  readonly text: string;
}

/** A node under way, for the part of the screen that moves. */
export interface ActiveNode {
  readonly node: string;
  readonly sinceMs: number;
  readonly attempt: number | null;
  readonly status: 'running' | 'waiting' | 'retry';
  readonly text: string;
  /** Waits in this queue until somebody takes the work; null once it is under way, or when it is no work. */
  readonly queue: string | null;
}

/** An approval that waits for its decision. */
export interface OpenApproval {
  readonly node: string;
  readonly kind: 'human_approval' | 'tool';
}

/** What the timeline has to know of the nodes of a workflow. */
export interface NodeKinds {
  /** The correlation key of a node that waits for an external event; null for any other. */
  awaitedKey(node: string): string | null;
}

/** From a workflow as the API gives it; what it does not understand is an ordinary node. */
export function nodeKindsOf(ir: JsonObject): NodeKinds {
  const nodes = isObject(ir.nodes) ? ir.nodes : {};
  return {
    awaitedKey(id) {
      const node = Object.hasOwn(nodes, id) ? nodes[id] : undefined;
      const kind = isObject(node) && isObject(node.kind) ? node.kind : {};
      if (kind.type !== 'wait' || kind.condition === 'timer') return null;
      const key = kind.correlation_key ?? kind.event;
      return typeof key === 'string' && key !== '' ? key : id;
    },
  };
}

/** Folds an event log into lines and into what is under way. Unknown event types are ignored: a newer server may write more. */
export class Timeline {
  readonly #kinds: NodeKinds;
  readonly #active = new Map<string, ActiveNode>();
  readonly #approvals = new Map<string, OpenApproval>();
  readonly #decisions = new Map<string, string>();

  constructor(kinds: NodeKinds) {
    this.#kinds = kinds;
  }

  /** Nodes under way, in the order in which they began. */
  get active(): readonly ActiveNode[] {
    return [...this.#active.values()];
  }

  get approvals(): readonly OpenApproval[] {
    return [...this.#approvals.values()];
  }

  /** What a wait for an external event waits for: its key by node id. */
  readonly awaitedEvents = new Map<string, string>();

  /** Nodes that a durable timer will move on by itself. */
  readonly nodesWithTimer = new Set<string>();

  apply(event: TimelineEvent): readonly TimelineEntry[] {
    const { type, node_id: node, data } = event;
    const atMs = Date.parse(event.created_at);
    if (node === null) return this.#applyWorkflowEvent(type, atMs, data);
    switch (type) {
      case 'node_scheduled':
        return this.#scheduled(node, atMs, data);
      case 'node_started':
        return this.#started(node, atMs, data);
      case 'node_completed':
        return this.#ended(node, atMs, 'done', data, this.#takeDecision(node));
      case 'node_failed':
        return this.#ended(node, atMs, 'failed', data, this.#failureText(node, data));
      case 'node_skipped':
        return this.#ended(node, atMs, 'skipped', {}, `skipped: ${textOf(data.reason) || 'branch not taken'}`);
      case 'node_cancelled':
        return this.#ended(node, atMs, 'cancelled', {}, 'cancelled');
      case 'retry_scheduled':
        return this.#retryScheduled(node, atMs, data);
      case 'interrupt_raised':
        this.#approvals.set(node, { node, kind: 'human_approval' });
        return this.#waiting(node, atMs, 'waiting for approval');
      case 'tool_approval_required':
        this.#approvals.set(node, { node, kind: 'tool' });
        return this.#waiting(node, atMs, `waiting for approval of ${textOf(data.tool_name)}`);
      case 'approval_received':
        return this.#recordDecision(node, event);
      case 'timer_created':
        return this.#timerCreated(node, atMs, data);
      case 'child_workflow_waiting':
        return this.#waiting(node, atMs, 'its child waits for room among the live executions of the tenant');
      case 'child_workflow_started':
        return this.#waiting(node, atMs, `runs ${textOf(data.child_workflow_id)} as ${textOf(data.child_execution_id)}`);
      case 'child_workflow_failed':
        return [note(node, `child failed: ${textOf(data.error)}`)];
      case 'policy_violation':
        return [{ status: 'failed', node, durationMs: null, attempt: null, text: `blocked by policy: ${textOf(data.rule)}` }];
      case 'token_budget_exceeded':
      case 'cost_budget_exceeded':
        return [note(node, type.replaceAll('_', ' '))];
      default:
        return [];
    }
  }

  #applyWorkflowEvent(type: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    if (type === 'external_event_received') return [note(null, `event ${textOf(data.correlation_key)} received`)];
    if (/^workflow_(completed|failed|cancelled)$/.test(type)) this.#active.clear();
    if (type === 'workflow_paused') return [note(null, ['paused', textOf(data.reason)].filter(Boolean).join(': '))];
    if (type === 'workflow_resumed') return [note(null, 'resumed')];
    if (type === 'workflow_forked' && isObject(data.origin)) {
      for (const [node, active] of this.#active) this.#active.set(node, { ...active, sinceMs: atMs });
      return [note(null, `forked from ${textOf(data.origin.execution_id)} at ${textOf(data.origin.sequence)}`)];
    }
    if (type === 'workflow_retried') return [note(null, `retried: ${listOf(data.nodes).join(', ')}`)];
    return [];
  }

  /** Work of this process starts in the same moment, or when there is a slot; any other waits until a worker takes it. */
  #scheduled(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    const attempt = numberOf(data.attempt);
    const queue = textOf(data.queue_type);
    const text = data.in_process === true ? 'waits for a slot' : `waits for a worker of queue ${queue}`;
    const entry: TimelineEntry = { status: 'running', node, durationMs: null, attempt, text };
    return this.#setActive(
      { node, sinceMs: atMs, attempt, status: 'running', text, queue },
      data.in_process === true ? [] : [entry],
    );
  }

  /** Work is scheduled before it starts, and makes attempts; approvals, waits and subgraphs start when they are reached. */
  #started(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    if (this.#active.get(node)?.status !== 'running') {
      const key = this.#kinds.awaitedKey(node);
      if (key === null) return this.#setActive({ node, sinceMs: atMs, attempt: null, status: 'waiting', text: '' }, []);
      this.awaitedEvents.set(node, key);
      return this.#waiting(node, atMs, `waits for event ${key}`);
    }
    const attempt = numberOf(data.attempt);
    const entry: TimelineEntry = { status: 'running', node, durationMs: null, attempt, text: 'started' };
    return this.#setActive({ node, sinceMs: atMs, attempt, status: 'running', text: 'running' }, [entry]);
  }

  #setActive(
    active: Omit<ActiveNode, 'queue'> & { readonly queue?: string },
    entries: readonly TimelineEntry[],
  ): readonly TimelineEntry[] {
    this.#active.delete(active.node);
    this.#active.set(active.node, { queue: null, ...active });
    return entries;
  }

  #waiting(node: string, atMs: number, text: string): readonly TimelineEntry[] {
    const sinceMs = this.#active.get(node)?.sinceMs ?? atMs;
    const entry: TimelineEntry = { status: 'waiting', node, durationMs: null, attempt: null, text };
    return this.#setActive({ node, sinceMs, attempt: null, status: 'waiting', text }, [entry]);
  }

  #timerCreated(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    this.nodesWithTimer.add(node);
    const fireAtMs = typeof data.fire_at === 'string' ? Date.parse(data.fire_at) : Number.NaN;
    const left = duration(fireAtMs - atMs);
    const active = this.#active.get(node);
    if (active === undefined || active.text === '') return this.#waiting(node, atMs, `waits for ${left}`);
    return this.#setActive(
      { node, sinceMs: active.sinceMs, attempt: null, status: 'waiting', text: `${active.text}, at most ${left}` },
      [],
    );
  }

  #retryScheduled(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    const attempt = numberOf(data.attempt);
    const text = `next attempt in ${duration(numberOf(data.delay_ms) ?? 0)}`;
    return this.#setActive({ node, sinceMs: atMs, attempt, status: 'retry', text }, [
      { status: 'retry', node, durationMs: null, attempt: null, text },
    ]);
  }

  #recordDecision(node: string, { data, actor_id, on_behalf_of }: TimelineEvent): readonly TimelineEntry[] {
    const approval = this.#approvals.get(node);
    this.#approvals.delete(node);
    const comment = textOf(data.comment);
    const who = on_behalf_of === undefined ? textOf(data.user_id) : `${actor_id} on behalf of ${on_behalf_of}`;
    const text = `${textOf(data.decision)} by ${who}${comment === '' ? '' : `: ${comment}`}`;
    if (approval?.kind === 'tool') return [note(node, text)];
    this.#decisions.set(node, text);
    return [];
  }

  /** The event of a rejection says in whose name it was made; the decision says by whom, too. */
  #failureText(node: string, { error }: JsonObject): string {
    const decision = this.#takeDecision(node);
    return decision.startsWith('rejected by ') ? `approval ${decision}` : textOf(error);
  }

  #takeDecision(node: string): string {
    const decision = this.#decisions.get(node) ?? '';
    this.#decisions.delete(node);
    return decision;
  }

  #ended(node: string, atMs: number, mark: EntryStatus, data: JsonObject, text: string): readonly TimelineEntry[] {
    const active = this.#active.get(node);
    this.#active.delete(node);
    this.#approvals.delete(node);
    this.#decisions.delete(node);
    this.awaitedEvents.delete(node);
    this.nodesWithTimer.delete(node);
    const sinceMs = active === undefined ? null : atMs - active.sinceMs;
    // Work is measured by whoever does it, a wait by nobody.
    const tookMs = active?.status === 'waiting' ? sinceMs : (numberOf(data.duration_ms) ?? sinceMs);
    const attempt = active?.attempt ?? null;
    return [{ status: mark, node, durationMs: mark === 'skipped' ? null : tookMs, attempt, text }];
  }
}

function note(node: string | null, text: string): TimelineEntry {
  return { status: 'note', node, durationMs: null, attempt: null, text };
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return isObject(value) || Array.isArray(value) ? inline(value) : String(value);
}

function listOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
