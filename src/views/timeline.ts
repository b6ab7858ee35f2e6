import { type HistoryEvent, numberOf, textOf, textsOf } from '../../machines/history/event.ts';
import { endStatusOf, History } from '../../machines/history/history.ts';
import { itemsText } from '../../machines/history/node-visit.ts';
import type { OpenOperation } from '../../machines/history/node-visits.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { duration } from './time.ts';

export type EntryStatus = 'running' | 'done' | 'failed' | 'retry' | 'waiting' | 'skipped' | 'cancelled' | 'note' | 'problem';

/** A line of the timeline. */
export interface TimelineEntry {
  readonly status: EntryStatus;
  readonly node: string | null;
  readonly durationMs: number | null;
  /** 0-based, as on the wire; null for nodes without attempts (control nodes, waits). */
  readonly attempt: number | null;
  readonly text: string;
}

/** A line with what its event says besides. */
export interface TimedEntry extends TimelineEntry {
  readonly atMs: number;
  /** Which visit to a node it is, from the second on (loops visit nodes again); else null. */
  readonly round: number | null;
}

/** A node that is queued, running, waiting or between attempts. */
export interface ActiveNode {
  readonly node: string;
  readonly sinceMs: number;
  readonly attempt: number | null;
  readonly status: 'running' | 'waiting' | 'retry';
  readonly text: string;
  /** The queue of work that no worker has claimed yet; null otherwise. */
  readonly queue: string | null;
}

/** A pending approval. */
export interface OpenApproval {
  readonly node: string;
  readonly kind: 'human_approval' | 'tool';
}

/** What the timeline needs to know about the nodes of a workflow. */
export interface NodeKinds {
  /** The correlation key of a node that waits for an external event; null for other nodes. */
  awaitedKey(node: string): string | null;
}

/** Reads the IR from the API; unknown kinds are treated as ordinary nodes. */
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

/** Correlation keys of awaited external events by node id. */
export function awaitedEvents({ open }: History, kinds: NodeKinds): ReadonlyMap<string, string> {
  const waiting = open.filter(({ now }) => now?.status === 'waiting');
  return new Map(
    waiting.flatMap(({ node, now }) => {
      const ofFunction = [...(now?.operations.values() ?? [])].find((operation) => operation.key !== null);
      const key = ofFunction?.key ?? kinds.awaitedKey(node);
      return key === null ? [] : [[node, key] as const];
    }),
  );
}

/** Reduces an event log to lines and active nodes. Unknown event types, as from a newer server, are ignored. */
export class Timeline {
  readonly #kinds: NodeKinds;
  readonly #history: History;
  readonly #active = new Map<string, ActiveNode>();
  readonly #decisions = new Map<string, string>();
  /** Why a person is about to be asked about a node. */
  readonly #reasons = new Map<string, string>();

  /** The operation of the last event, as it was before it. */
  #operationBefore: OpenOperation | undefined;
  /** Durable functions that wait: when they go on, that is no news. */
  readonly #parkedFunctions = new Set<string>();

  constructor(kinds: NodeKinds, history = new History()) {
    this.#kinds = kinds;
    this.#history = history;
  }

  /** Active nodes in the order in which they started. */
  get active(): readonly ActiveNode[] {
    return [...this.#active.values()];
  }

  get approvals(): readonly OpenApproval[] {
    return this.#history.open.flatMap(({ node, now }) => (now?.asks == null ? [] : [{ node, kind: now.asks }]));
  }

  /** Whether a person decides about each active node. */
  get awaitsDecisionsOnly(): boolean {
    return this.#history.open.every(({ now }) => now?.asks != null);
  }

  /** Correlation keys of awaited external events by node id. */
  get awaitedEvents(): ReadonlyMap<string, string> {
    return awaitedEvents(this.#history, this.#kinds);
  }

  /** Whether a durable timer will advance the execution. */
  get hasTimer(): boolean {
    return this.#history.open.some(({ now }) => now?.hasTimer === true);
  }

  apply(event: HistoryEvent): readonly TimedEntry[] {
    const activation = event.node_id === null ? null : numberOf(event.data.activation);
    const round = activation !== null && activation > 1 ? activation : null;
    const atMs = Date.parse(event.created_at);
    this.#operationBefore = event.node_id === null ? undefined : this.#operation(event.node_id, Number(event.data.operation));
    this.#history.apply(event);
    return this.#entriesOf(event).map((entry) => ({ ...entry, atMs, round }));
  }

  #operation(node: string, number: number): OpenOperation | undefined {
    return this.#history.visitsOf(node)?.now?.operations.get(number);
  }

  #entriesOf(event: HistoryEvent): readonly TimelineEntry[] {
    const { type, node_id: node, data } = event;
    const atMs = Date.parse(event.created_at);
    if (node === null) return this.#applyWorkflowEvent(type, atMs, data);
    if (data.item !== undefined) return this.#ofItem(node, type, data);
    switch (type) {
      case 'map_started': {
        const text = this.#itemsText(node);
        const entry: TimelineEntry = { status: 'running', node, durationMs: null, attempt: null, text };
        return this.#setActive({ node, sinceMs: atMs, attempt: null, status: 'running', text }, [entry]);
      }
      case 'node_scheduled':
        return this.#scheduled(node, atMs, data);
      case 'node_started':
        return this.#started(node, atMs, data);
      case 'node_completed':
        return [
          ...problemsOf(node, data),
          ...this.#ended(node, atMs, 'done', data, joined([this.#itemsText(node), this.#takeDecision(node), routeOf(data)])),
        ];
      case 'node_failed':
        return [
          ...problemsOf(node, data),
          ...this.#ended(node, atMs, 'failed', data, joined([this.#itemsText(node), this.#failureText(node, data)])),
        ];
      case 'node_skipped':
        return this.#ended(node, atMs, 'skipped', {}, `skipped: ${textOf(data.reason) || 'branch not taken'}`);
      case 'node_cancelled':
        return this.#ended(node, atMs, 'cancelled', {}, joined(['cancelled', this.#itemsText(node)]));
      case 'attempt_lost':
        return [note(node, `${textOf(data.error)}: begins again`)];
      case 'retry_scheduled':
      case 'node_parked':
        return this.#retryScheduled(node, atMs, data);
      case 'step_started':
      case 'step_completed':
      case 'step_failed':
      case 'step_cancelled':
      case 'machine_transitioned':
        return operationEntries(node, event, this.#operationBefore);
      case 'update_handled':
        return updateEntries(node, data);
      case 'function_parked':
        return this.#parked(node, atMs);
      case 'interrupt_raised':
        return this.#waiting(node, atMs, 'waiting for approval');
      case 'tool_approval_required':
        return this.#waiting(node, atMs, `waiting for approval of ${textOf(data.tool_name)}${this.#takeReason(node)}`);
      case 'approval_received':
        return this.#recordDecision(node, event);
      case 'timer_created':
        return this.#timerCreated(node, atMs, data);
      case 'child_workflow_waiting':
        return this.#waiting(node, atMs, 'child waits for capacity (max_concurrent_executions of the tenant)');
      case 'child_workflow_started':
        return this.#waiting(node, atMs, `runs ${textOf(data.child_workflow_id)} as ${textOf(data.child_execution_id)}`);
      case 'tool_call_rejected':
        return [note(node, `tells the model (${textOf(data.repair)} in a row): ${textOf(data.problem)}`)];
      case 'agent_handoff':
        return [note(node, `hands over to ${textOf(data.to)}${data.reason === undefined ? '' : `: ${textOf(data.reason)}`}`)];
      case 'child_workflow_failed':
        return [note(node, `child failed: ${textOf(data.error)}`)];
      case 'policy_violation':
        if (data.decision === 'warned') return [note(node, `violates a policy: ${textOf(data.rule)}`)];
        // The node ends in the same commit: it fails, or is a policy node with a branch for this.
        this.#decisions.set(node, `blocked by policy: ${textOf(data.rule)}`);
        return [];
      case 'escalation_required':
        this.#reasons.set(node, textOf(data.reason));
        return [];
      case 'token_budget_exceeded':
      case 'cost_budget_exceeded':
        return [note(node, type.replaceAll('_', ' '))];
      default:
        return [];
    }
  }

  /** A list may have thousands of items: they change the text of their node, and only failures have lines of their own. */
  #ofItem(node: string, type: string, data: JsonObject): readonly TimelineEntry[] {
    const active = this.#active.get(node);
    if (this.#history.visitsOf(node)?.now?.visit.items === undefined) return callEntries(node, type, data);
    if (active !== undefined) this.#active.set(node, { ...active, text: this.#itemsText(node) });
    const failed = type === 'node_failed' && data.retryable !== true;
    return failed ? [note(node, `item ${textOf(data.item)}: ${textOf(data.error)}`)] : [];
  }

  #itemsText(node: string): string {
    const items = this.#history.visitsOf(node)?.now?.visit.items;
    return items === undefined ? '' : itemsText(items);
  }

  #applyWorkflowEvent(type: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    if (endStatusOf(type) !== null) this.#active.clear();
    else if (type === 'workflow_forked')
      for (const [node, active] of this.#active) this.#active.set(node, { ...active, sinceMs: atMs });
    const text = executionNote(type, data);
    return text === null ? [] : [note(null, text)];
  }

  /** In-process work starts at once or when a slot is free; other work waits for a worker. */
  #scheduled(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    const attempt = numberOf(data.attempt);
    const queue = textOf(data.queue_type);
    const text = data.in_process === true ? 'waiting for a slot' : `waiting for a worker of queue ${queue}`;
    const entry: TimelineEntry = { status: 'running', node, durationMs: null, attempt, text };
    return this.#setActive(
      { node, sinceMs: atMs, attempt, status: 'running', text, queue },
      data.in_process === true ? [] : [entry],
    );
  }

  /** Work is scheduled before it starts and has attempts; approvals, waits and subgraphs start when they are reached. */
  #started(node: string, atMs: number, data: JsonObject): readonly TimelineEntry[] {
    if (this.#active.get(node)?.status !== 'running') {
      const key = this.#kinds.awaitedKey(node);
      if (key === null) return this.#setActive({ node, sinceMs: atMs, attempt: null, status: 'waiting', text: '' }, []);
      return this.#waiting(node, atMs, `waiting for event ${key}`);
    }
    const attempt = numberOf(data.attempt);
    const goesOn = this.#parkedFunctions.delete(node);
    const entry: TimelineEntry = { status: 'running', node, durationMs: null, attempt, text: 'started' };
    return this.#setActive({ node, sinceMs: atMs, attempt, status: 'running', text: 'running' }, goesOn ? [] : [entry]);
  }

  #parked(node: string, atMs: number): readonly TimelineEntry[] {
    this.#parkedFunctions.add(node);
    const sinceMs = this.#active.get(node)?.sinceMs ?? atMs;
    const waits = [...(this.#history.visitsOf(node)?.now?.operations.values() ?? [])].map(({ name }) => name);
    return this.#setActive({ node, sinceMs, attempt: null, status: 'waiting', text: `waiting for ${waits.join(', ')}` }, []);
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
    const fireAtMs = typeof data.fire_at === 'string' ? Date.parse(data.fire_at) : Number.NaN;
    const left = duration(fireAtMs - atMs);
    const active = this.#active.get(node);
    if (active === undefined || active.text === '') return this.#waiting(node, atMs, `waiting for ${left}`);
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

  #recordDecision(node: string, { data, actor_id, on_behalf_of }: HistoryEvent): readonly TimelineEntry[] {
    const comment = textOf(data.comment);
    const who = on_behalf_of === undefined ? textOf(data.user_id) : `${actor_id} on behalf of ${on_behalf_of}`;
    const text = `${textOf(data.decision)} by ${who}${comment === '' ? '' : `: ${comment}`}`;
    if (this.#history.visitsOf(node)?.now?.status === 'held') return [note(node, text)];
    this.#decisions.set(node, text);
    return [];
  }

  /** The error of a rejection, with the actor, which only the decision names. */
  #failureText(node: string, { error }: JsonObject): string {
    const decision = this.#takeDecision(node);
    return decision.startsWith('rejected by ') ? `approval ${decision}` : textOf(error);
  }

  #takeReason(node: string): string {
    const reason = this.#reasons.get(node);
    this.#reasons.delete(node);
    return reason === undefined ? '' : `: ${reason}`;
  }

  #takeDecision(node: string): string {
    const decision = this.#decisions.get(node) ?? '';
    this.#decisions.delete(node);
    return decision;
  }

  #ended(node: string, atMs: number, mark: EntryStatus, data: JsonObject, text: string): readonly TimelineEntry[] {
    this.#parkedFunctions.delete(node);
    const active = this.#active.get(node);
    this.#active.delete(node);
    this.#decisions.delete(node);
    const sinceMs = active === undefined ? null : atMs - active.sinceMs;
    // Workers measure work; the duration of a wait is computed from the events.
    const durationMs = active?.status === 'waiting' ? sinceMs : (numberOf(data.duration_ms) ?? sinceMs);
    const attempt = active?.attempt ?? null;
    return [{ status: mark, node, durationMs: mark === 'skipped' ? null : durationMs, attempt, text }];
  }
}

/** What an event of the execution as a whole says; null = nothing that its nodes do not. */
export function executionNote(type: string, data: JsonObject): string | null {
  switch (type) {
    case 'external_event_received':
      return `event ${textOf(data.correlation_key)} received`;
    case 'segment_boundary':
      return `continues as ${textOf(data.next_execution_id)}: ${textOf(data.reason)}`;
    case 'workflow_paused':
      return ['paused', textOf(data.reason)].filter(Boolean).join(': ');
    case 'workflow_started':
      return data.start_at === undefined ? null : `started for ${textOf(data.start_at)}`;
    case 'workflow_begun':
      return 'begun';
    case 'workflow_resumed':
      return 'resumed';
    case 'workflow_finalizing':
      return `finalizers run before it ends as ${textOf(data.status)}`;
    case 'workflow_forked':
      return isObject(data.origin) ? `forked from ${textOf(data.origin.execution_id)} at ${textOf(data.origin.sequence)}` : null;
    case 'workflow_retried':
      return `retried: ${textsOf(data.nodes).join(', ')}`;
    default:
      return null;
  }
}

/** The edge that conditions have chosen, with the one that held: `→ refund: state.amount > 100 is true`. '' = there are none. */
function routeOf({ taken, evaluated }: JsonObject): string {
  const conditions = Array.isArray(evaluated) ? evaluated.filter(isObject) : [];
  if (conditions.length === 0 || !Array.isArray(taken)) return '';
  const targets = taken.length === 0 ? 'no branch' : textsOf(taken).join(', ');
  const known = conditions.filter(({ problem }) => problem === undefined);
  const results = known.map(({ condition, value }) => `${textOf(condition)} is ${JSON.stringify(value ?? null)}`);
  return `→ ${targets}${results.length === 0 ? '' : `: ${results.join(', ')}`}`;
}

/** Conditions that could not be evaluated. */
function problemsOf(node: string, { evaluated }: JsonObject): readonly TimelineEntry[] {
  const conditions = Array.isArray(evaluated) ? evaluated.filter(isObject) : [];
  return conditions
    .filter(({ problem }) => problem !== undefined)
    .map(({ condition, problem }) => ({
      ...note(node, `${textOf(condition)} cannot be evaluated and counts as false: ${textOf(problem)}`),
      status: 'problem' as const,
    }));
}

function joined(texts: readonly string[]): string {
  return texts.filter(Boolean).join('  ');
}

function note(node: string | null, text: string): TimelineEntry {
  return { status: 'note', node, durationMs: null, attempt: null, text };
}

/** What an event of a call's child execution says. Its end is that of the operation. */
function callEntries(node: string, type: string, data: JsonObject): readonly TimelineEntry[] {
  if (type !== 'child_workflow_started') return [];
  const text = `runs ${textOf(data.child_workflow_id)} as ${textOf(data.child_execution_id)}`;
  return [{ status: 'running', node, durationMs: null, attempt: null, text }];
}

/** Operations that are over at once. */
const UNSEEN: ReadonlySet<string> = new Set(['value', 'expose', 'handler']);

/** What has come of an update. */
function updateEntries(node: string, { name, error }: JsonObject): readonly TimelineEntry[] {
  const failed = error === undefined ? '' : `: ${textOf(error)}`;
  const text = `update ${textOf(name)}${failed}`;
  return [{ status: error === undefined ? 'done' : 'failed', node, durationMs: null, attempt: null, text }];
}

/** A state value of XState in one line: `shipping.(parcel.packed | review.asked)`. */
function stateText(value: Json | undefined): string {
  if (!isObject(value)) return textOf(value);
  const parts = Object.entries(value).map(([key, inner]) => {
    const within = stateText(inner);
    return within === '' ? key : `${key}.${within}`;
  });
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' | ')})`;
}

/** What an event of a durable function says of its operation: the start of a wait, a result, a failed attempt. */
function operationEntries(
  node: string,
  { type, data, created_at }: HistoryEvent,
  before: OpenOperation | undefined,
): readonly TimelineEntry[] {
  const name = textOf(data.name);
  const of = (status: EntryStatus, text: string, durationMs: number | null = null): readonly TimelineEntry[] => [
    { status, node, durationMs, attempt: null, text },
  ];
  const left = typeof data.fire_at === 'string' ? duration(Date.parse(data.fire_at) - Date.parse(created_at)) : null;
  if (type === 'step_started')
    switch (data.kind) {
      case 'sleep':
        return of('waiting', `${name}: waiting for ${left}`);
      case 'event':
        // A machine waits for events all the time: its state says for which.
        if (data.accepts !== undefined) return [];
        return of(
          'waiting',
          `${name}: waiting for event ${textOf(data.correlation_key)}${left === null ? '' : `, at most ${left}`}`,
        );
      default:
        return [];
    }
  if (type === 'machine_transitioned') {
    const emitted = Array.isArray(data.emitted)
      ? `, emits ${data.emitted.map((one) => textOf(isObject(one) ? one.type : '')).join(', ')}`
      : '';
    const machine = data.actor === undefined ? '' : `${textOf(data.actor)}: `;
    return of('done', `${machine}${textOf(data.event)} → ${stateText(data.value)}${emitted}`);
  }
  // Of a machine, the next line says what it does instead.
  if (type === 'step_cancelled')
    return before?.kind === 'step' || before?.kind === 'call' ? of('cancelled', `${name}: not wanted any more`) : [];
  if (type === 'step_failed') {
    const { delay_ms: delayMs } = data;
    const next = delayMs === undefined ? '' : `, next attempt in ${duration(numberOf(delayMs) ?? 0)}`;
    return of(delayMs === undefined ? 'failed' : 'retry', `${name}: ${textOf(data.error)}${next}`);
  }
  if (before !== undefined && (UNSEEN.has(before.kind) || (before.kind === 'event' && before.key === null))) return [];
  const tookMs = before === undefined || before.kind === 'step' ? null : Date.parse(created_at) - before.sinceMs;
  return of('done', data.timed_out === true ? `${name}: timed out` : name, numberOf(data.duration_ms) ?? tookMs);
}
