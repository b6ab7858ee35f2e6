import { appendedIn } from '../appended-lists.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { usageIn, usageSum } from '../step/actions/usage.ts';
import { type HistoryEvent, numberOf, textOf, textsOf } from './event.ts';
import type { AttemptStatus, EvaluatedCondition, NodeAttempt, NodeVisit, VisitStatus } from './node-visit.ts';

/** How much of a long history is kept: the latest visits, and the latest attempts of each. */
export interface VisitLimits {
  readonly visits: number;
  readonly attempts: number;
}

const DEFAULT_VISIT_LIMITS: VisitLimits = { visits: 100, attempts: 100 };

/** What a node does, or did last: its visits on a way through the workflow. */
export interface NodeNow {
  readonly visit: NodeVisit;
  /** Of the visit; `retrying` also between the retry of the execution and the next attempt. */
  readonly status: VisitStatus;
  /** Number of visits. */
  readonly visits: number;
  /** Failed attempts that were retried, of all visits. */
  readonly retries: number;
  /** Sequence of the event with which the visit began. */
  readonly began: number;
  /** When it began; in a fork, it begins anew. */
  readonly sinceMs: number;
  /** From its beginning to its end, of work as the worker measured it; null while it lasts. */
  readonly durationMs: number | null;
  /** A person is to decide on a question of the node, or on a tool; null = no decision is pending. */
  readonly asks: 'human_approval' | 'tool' | null;
  /** A durable timer will advance it. */
  readonly hasTimer: boolean;
  /** What a durable function has begun and has no result of, by the numbers of the operations. */
  readonly operations: ReadonlyMap<number, OpenOperation>;
}

export interface OpenOperation {
  readonly name: string;
  readonly kind: string;
  /** Correlation key of the event that it waits for; null = none. */
  readonly key: string | null;
  /** Its time is limited, or its next attempt has one. */
  readonly isTimed: boolean;
  readonly sinceMs: number;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type AttemptDraft = Draft<NodeAttempt>;
interface VisitDraft extends Draft<Omit<NodeVisit, 'attempts'>> {
  attempts: AttemptDraft[];
}

const FAILURE = ['error_name', 'error_class', 'http_status', 'stack', 'cause', 'errors'] as const;
/** Of the visit and of its last attempt, after events that say nothing else of it. */
const STATUS_AFTER: Readonly<Partial<Record<string, AttemptStatus>>> = {
  interrupt_raised: 'waiting',
  timer_created: 'waiting',
  child_workflow_waiting: 'queued',
  child_workflow_started: 'active',
  child_workflow_paused: 'waiting',
  child_workflow_resumed: 'active',
  function_parked: 'waiting',
};
const BEGINS_ITEM: ReadonlySet<string> = new Set(['node_scheduled', 'node_started', 'tool_approval_required']);
/** What an event that ends an item adds to. */
const COUNT_OF_END: Readonly<Partial<Record<string, 'succeeded' | 'failed' | 'cancelled'>>> = {
  node_completed: 'succeeded',
  node_failed: 'failed',
  node_cancelled: 'cancelled',
};
/** Statuses of what is in progress. */
export const OPEN: ReadonlySet<VisitStatus> = new Set(['queued', 'active', 'waiting', 'held', 'retrying']);

/**
 * The visits to one node with their attempts, from the node's events in order. Events of other nodes and of the execution do nothing.
 *
 * @example
 * const visits = new NodeVisits('charge');
 * for (const event of events) visits.apply(event);
 * visits.all(false).at(-1)?.attempts.at(-1)?.error;
 */
export class NodeVisits {
  readonly node: string;
  readonly #limits: VisitLimits;
  readonly #visits: VisitDraft[] = [];
  /** The item whose attempts are followed; undefined = those of the visits themselves. */
  readonly #item: number | undefined;
  /** Of the last visit. */
  readonly #openItems = new Set<number>();
  /** Those of them that a person is to decide about. */
  readonly #asked = new Set<number>();
  /** Of the last visit. */
  readonly #operations = new Map<number, OpenOperation>();
  #total = 0;
  #touched: VisitDraft | null = null;
  #now: Draft<NodeNow> | null = null;

  constructor(node: string, limits: VisitLimits = DEFAULT_VISIT_LIMITS, item?: number) {
    this.node = node;
    this.#item = item;
    this.#limits = limits;
  }

  /** The number of visits, those that are left out included. Skipped ones count. */
  get total(): number {
    return this.#total;
  }

  /** Null = no visit has begun, but those that were skipped and work beside the workflow. */
  get now(): NodeNow | null {
    return this.#now;
  }

  /** Oldest first. `hasEnded`: the execution has, and with it what was in progress. */
  all(hasEnded: boolean): readonly NodeVisit[] {
    return hasEnded ? this.#visits.map(cancelOpen) : this.#visits;
  }

  /** Leaves the oldest visit out, or the oldest attempt of the only one. False = only one attempt is left. */
  dropOldest(): boolean {
    const [first] = this.#visits;
    if (this.#visits.length > 1) this.#visits.shift();
    else if (first === undefined || first.attempts.length < 2) return false;
    else first.attempts.shift();
    return true;
  }

  /** Returns the visit that the event belongs to, as it is after it; null if it says nothing of a visit. */
  apply(event: HistoryEvent): NodeVisit | null {
    const visit = this.#applied(event);
    if (visit !== null && visit === this.#now?.visit) this.#now.status = visit.status;
    return visit;
  }

  /** The execution goes on as a fork: what is in progress began now. */
  restart(atMs: number): void {
    this.#updateNow({ sinceMs: atMs });
  }

  /** The execution is retried: the last attempt failed it, and another one follows. */
  retry(): void {
    this.#updateNow({ status: 'retrying', retries: (this.#now?.retries ?? 0) + 1, durationMs: null });
  }

  #updateNow(change: Partial<NodeNow>): void {
    if (this.#now !== null) Object.assign(this.#now, change);
  }

  #applied(event: HistoryEvent): VisitDraft | null {
    this.#touched = null;
    if (event.node_id === this.node) this.#apply(event);
    return this.#touched;
  }

  #apply(event: HistoryEvent): void {
    const { type, data } = event;
    if (data.item !== this.#item) {
      if (this.#item === undefined) this.#ofItem(event, Number(data.item));
      return;
    }
    const status = STATUS_AFTER[type];
    if (status !== undefined) this.#setStatus(event, status);
    switch (type) {
      case 'map_started':
        this.#itemsStarted(event);
        break;
      case 'map_completed':
        this.#itemsEnded(event);
        break;
      case 'node_scheduled':
        this.#scheduled(event);
        break;
      case 'node_started':
        this.#started(event);
        break;
      case 'tool_approval_required':
        this.#held(event);
        break;
      case 'interrupt_raised':
        this.#visitOf(event).question = textOf(data.description);
        this.#updateNow({ asks: 'human_approval' });
        break;
      case 'timer_created':
        this.#updateNow({ hasTimer: true });
        break;
      case 'step_started':
      case 'step_completed':
      case 'step_failed':
      case 'step_cancelled':
        this.#ofOperation(event);
        break;
      case 'approval_received':
        this.#decided(event);
        break;
      case 'child_workflow_started':
        this.#update(event, { child_execution_id: textOf(data.child_execution_id) });
        break;
      case 'policy_violation':
        if (data.decision !== 'warned') this.#visitOf(event).blocked_by = textOf(data.rule);
        break;
      case 'node_completed':
        this.#completed(event);
        break;
      case 'node_failed':
        this.#failed(event);
        break;
      case 'retry_scheduled':
      case 'node_parked':
        this.#retryScheduled(event);
        break;
      case 'attempt_lost':
      case 'usage_recorded':
        this.#used(data);
        break;
      case 'node_skipped':
        Object.assign(this.#visitOf(event), { status: 'skipped', reason: textOf(data.reason) });
        break;
      case 'node_cancelled':
        this.#cancelled(event);
        break;
    }
  }

  #ofOperation(event: HistoryEvent): void {
    const { type, data, created_at } = event;
    this.#visitOf(event);
    const number = Number(data.operation);
    const known = this.#operations.get(number);
    if (type === 'step_started')
      this.#operations.set(number, {
        name: textOf(data.name),
        kind: textOf(data.kind) || 'step',
        key: typeof data.correlation_key === 'string' ? data.correlation_key : null,
        isTimed: data.fire_at !== undefined || data.limit_ms !== undefined,
        sinceMs: Date.parse(created_at),
      });
    else if (data.delay_ms !== undefined && known !== undefined)
      this.#operations.set(number, Object.assign({}, known, { isTimed: true }));
    else this.#operations.delete(number);
    const hasTimer = [...this.#operations.values()].some(({ isTimed }) => isTimed);
    this.#updateNow({ hasTimer });
  }

  #itemsStarted(event: HistoryEvent): void {
    const { data, created_at } = event;
    const visit = this.#visitOf(event);
    const attempt = this.#openAttempt(visit, 0);
    attempt.started_at = created_at;
    visit.status = 'active';
    visit.items = { total: numberOf(data.count) ?? 0, succeeded: numberOf(data.kept) ?? 0, failed: 0, cancelled: 0, open: 0 };
    this.#openItems.clear();
    this.#asked.clear();
  }

  /** What the log says of an item changes the counts alone: a list may have thousands. */
  #ofItem(event: HistoryEvent, item: number): void {
    const { type, data } = event;
    const visit = this.#visitOf(event);
    const { items } = visit;
    if (items === undefined) return;
    if (BEGINS_ITEM.has(type)) this.#openItems.add(item);
    if (type === 'tool_approval_required') this.#asked.add(item);
    else this.#asked.delete(item);
    const end = type === 'node_failed' && data.retryable === true ? undefined : COUNT_OF_END[type];
    if (end !== undefined) {
      this.#openItems.delete(item);
      visit.items = { ...items, [end]: items[end] + 1, open: this.#openItems.size };
    } else if (items.open !== this.#openItems.size) visit.items = { ...items, open: this.#openItems.size };
    visit.status = this.#asked.size > 0 && this.#asked.size === this.#openItems.size ? 'held' : 'active';
    this.#updateNow({ asks: this.#asked.size > 0 ? 'tool' : null });
  }

  /** Items that never began are cancelled, too. */
  #itemsEnded(event: HistoryEvent): void {
    const visit = this.#visitOf(event);
    if (visit.items === undefined) return;
    visit.items = { ...visit.items, cancelled: numberOf(event.data.cancelled) ?? 0, open: 0 };
  }

  #held(event: HistoryEvent): void {
    const visit = this.#visitOf(event);
    this.#openAttempt(visit, nextAttempt(visit)).status = 'held';
    visit.status = 'held';
    visit.question = toolQuestion(textOf(event.data.tool_name), event.data.context);
    this.#updateNow({ asks: 'tool' });
  }

  #decided(event: HistoryEvent): void {
    const { data, created_at, on_behalf_of } = event;
    const visit = this.#visitOf(event);
    this.#updateNow({ asks: null });
    const comment = typeof data.comment === 'string' ? data.comment : null;
    const userId = on_behalf_of ?? textOf(data.user_id);
    const decision = { decision: textOf(data.decision), user_id: userId, comment, decided_at: created_at };
    visit.decisions = [...(visit.decisions ?? []), decision];
  }

  #cancelled(event: HistoryEvent): void {
    const visit = this.#visitOf(event);
    const attempt = visit.attempts.at(-1);
    visit.status = 'cancelled';
    this.#ended(visit, event);
    if (attempt !== undefined && OPEN.has(attempt.status)) close(attempt, 'cancelled', event);
  }

  #scheduled(event: HistoryEvent): void {
    const { data, created_at } = event;
    const visit = this.#visitOf(event, data.activation === 0);
    // Work that a stopped runtime has handed back is queued again under the same number.
    const attempt = this.#openAttempt(visit, numberOf(data.attempt) ?? 0);
    attempt.status = 'queued';
    attempt.queued_at = created_at;
    attempt.started_at = null;
    attempt.worker_id = null;
    if (data.in_process !== true) attempt.queue = textOf(data.queue_type);
    visit.status = 'queued';
  }

  #started(event: HistoryEvent): void {
    const { data, created_at, sequence } = event;
    const visit = this.#visitOf(event);
    const attempt = this.#openAttempt(visit, numberOf(data.attempt) ?? nextAttempt(visit));
    const isWork = attempt.queued_at !== null;
    // A child execution is started by a runtime, but not queued. Another attempt, or a fork, has another child.
    if (!isWork) delete attempt.child_execution_id;
    attempt.status = isWork || data.worker_id !== undefined ? 'active' : 'waiting';
    // A child that waits for room begins again and again.
    attempt.started_at = isWork ? created_at : (attempt.started_at ?? created_at);
    attempt.worker_id = typeof data.worker_id === 'string' ? data.worker_id : null;
    if (data.input !== undefined) attempt.input = data.input;
    if (data.input_from === 'state') {
      attempt.input_from = 'state';
      attempt.input_sequence = sequence;
    }
    if (data.input_omitted === true) attempt.input_omitted = true;
    markRedacted(attempt, event);
    visit.status = attempt.status;
  }

  /** An attempt may have used something before its runtime stopped, and more when it began again. */
  #used(data: JsonObject): void {
    const visit = this.#visits.find(({ activation }) => activation === data.activation);
    const attempt = visit?.attempts.findLast((each) => each.attempt === data.attempt);
    // What a child used is its own.
    if (visit === undefined || attempt === undefined || data.child_execution_id !== undefined) return;
    attempt.usage = usageSum(attempt.usage, usageIn(data));
    this.#touched = visit;
  }

  #completed(event: HistoryEvent): void {
    const { data, created_at } = event;
    const visit = this.#visitOf(event);
    const attempt = this.#openAttempt(visit, nextAttempt(visit));
    // Control nodes complete when they are reached.
    attempt.started_at ??= attempt.queued_at ?? created_at;
    close(attempt, 'done', event);
    attempt.output = data.output ?? null;
    const { state_patch: patch, output } = data;
    const isEmpty = isObject(patch) && Object.keys(patch).length === 0;
    if (patch !== undefined && !isEmpty && !isSame(patch, output)) attempt.state_patch = patch;
    const appended = appendedIn(data);
    if (appended !== null) attempt.appended = appended;
    visit.status = 'done';
    endVisit(visit, data);
    this.#ended(visit, event, attempt.queued_at === null ? null : attempt.duration_ms);
  }

  #failed(event: HistoryEvent): void {
    const { data } = event;
    const visit = this.#visitOf(event);
    const attempt = this.#openAttempt(visit, numberOf(data.attempt) ?? nextAttempt(visit));
    close(attempt, 'failed', event);
    attempt.error = textOf(data.error);
    attempt.retryable = data.retryable === true;
    for (const field of FAILURE) if (data[field] !== undefined) Object.assign(attempt, { [field]: data[field] });
    visit.status = attempt.retryable ? 'retrying' : 'failed';
    if (!attempt.retryable) endVisit(visit, data);
    this.#ended(visit, event);
  }

  #retryScheduled(event: HistoryEvent): void {
    const { data, created_at } = event;
    const visit = this.#visitOf(event);
    visit.status = 'retrying';
    this.#updateNow({ retries: (this.#now?.retries ?? 0) + 1 });
    const failed = visit.attempts.at(-1);
    const delayMs = numberOf(data.delay_ms) ?? 0;
    if (failed !== undefined) failed.next_attempt_at = new Date(Date.parse(created_at) + delayMs).toISOString();
  }

  #setStatus(event: HistoryEvent, status: AttemptStatus): void {
    const visit = this.#visitOf(event);
    const attempt = visit.attempts.at(-1);
    visit.status = status;
    if (attempt !== undefined && OPEN.has(attempt.status)) attempt.status = status;
  }

  #update(event: HistoryEvent, change: Partial<NodeAttempt>): void {
    Object.assign(this.#visitOf(event).attempts.at(-1) ?? {}, change);
  }

  #ended(visit: VisitDraft, { created_at }: HistoryEvent, measuredMs: number | null = null): void {
    const now = this.#now;
    if (visit !== now?.visit) return;
    now.asks = null;
    now.hasTimer = false;
    this.#operations.clear();
    if (!OPEN.has(visit.status)) now.durationMs = measuredMs ?? Math.max(0, Date.parse(created_at) - now.sinceMs);
  }

  /** The visit that an event belongs to, which the event may begin. `isNew`: it begins one in any case. */
  #visitOf(event: HistoryEvent, isNew = false): VisitDraft {
    const number = numberOf(event.data.activation) ?? 1;
    const last = this.#visits.at(-1);
    const known = isNew
      ? undefined
      : last?.activation === number
        ? last
        : this.#visits.findLast((each) => each.activation === number);
    this.#touched = known ?? this.#begun(number, event);
    return this.#touched;
  }

  #begun(number: number, { type, sequence, created_at }: HistoryEvent): VisitDraft {
    const visit: VisitDraft = { activation: number, status: 'queued', attempts: [], attempts_total: 0 };
    if (number !== 0 && type !== 'node_skipped') {
      this.#now = {
        visit,
        status: visit.status,
        visits: (this.#now?.visits ?? 0) + 1,
        retries: this.#now?.retries ?? 0,
        began: sequence,
        sinceMs: Date.parse(created_at),
        durationMs: null,
        asks: null,
        hasTimer: false,
        operations: this.#operations,
      };
      this.#operations.clear();
    }
    this.#visits.push(visit);
    this.#total += 1;
    if (this.#visits.length > this.#limits.visits) this.#visits.shift();
    return visit;
  }

  /** The attempt with that number if it is in progress, else a new one. */
  #openAttempt(visit: VisitDraft, number: number): AttemptDraft {
    const last = visit.attempts.at(-1);
    if (last?.attempt === number && OPEN.has(last.status)) return last;
    const attempt: AttemptDraft = {
      attempt: number,
      status: 'active',
      queued_at: null,
      started_at: null,
      completed_at: null,
      duration_ms: null,
      usage: null,
      worker_id: null,
    };
    visit.attempts.push(attempt);
    visit.attempts_total += 1;
    if (visit.attempts.length > this.#limits.attempts) visit.attempts.shift();
    return attempt;
  }
}

/** The number of the attempt that is in progress, or that follows the last one. */
function nextAttempt({ attempts }: VisitDraft): number {
  const last = attempts.at(-1);
  if (last === undefined) return 0;
  return OPEN.has(last.status) ? last.attempt : last.attempt + 1;
}

function close(attempt: AttemptDraft, status: AttemptStatus, event: HistoryEvent): void {
  const { data, created_at } = event;
  attempt.status = status;
  attempt.completed_at = created_at;
  const measured = attempt.queued_at === null ? null : numberOf(data.duration_ms);
  const since = attempt.started_at ?? attempt.queued_at;
  attempt.duration_ms = measured ?? (since === null ? null : Math.max(0, Date.parse(created_at) - Date.parse(since)));
  const usage = usageIn(data);
  if (Object.keys(usage).length > 0) attempt.usage = usageSum(attempt.usage, usage);
  markRedacted(attempt, event);
}

function endVisit(visit: VisitDraft, { taken, evaluated }: JsonObject): void {
  if (Array.isArray(taken)) visit.taken = textsOf(taken);
  if (Array.isArray(evaluated)) visit.evaluated = evaluated.filter(isObject) as unknown as readonly EvaluatedCondition[];
}

function cancelOpen(visit: NodeVisit): NodeVisit {
  if (!OPEN.has(visit.status)) return visit;
  const attempts = visit.attempts.map((each) => (OPEN.has(each.status) ? { ...each, status: 'cancelled' as const } : each));
  return { ...visit, status: 'cancelled', attempts };
}

function markRedacted(attempt: AttemptDraft, { redacted }: HistoryEvent): void {
  if (redacted === true) attempt.redacted = true;
}

/** What a person is asked before a tool runs. */
export function toolQuestion(tool: string, context: Json | undefined): string {
  const asked = isObject(context) ? textOf(context.description) : '';
  return asked === '' ? `Run ${tool}?` : asked;
}

function isSame(a: Json, b: Json | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
