import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { TERMINAL } from '../../../machines/run.ts';
import { BUDGET_EXCEEDED } from '../../../machines/step/index.ts';
import { labelOfChain, segmentOf } from '../../../src/runtime/segment-labels.ts';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import { unwantedSinceMs } from './child-lifetimes.ts';

/** A call of an in-process tool. */
export interface ToolCall {
  readonly call: number;
  readonly executionId: string;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  /** Undefined = the node works on no list. */
  readonly item: number | undefined;
}

/** An operation of a durable function. */
export interface OperationOf {
  readonly executionId: string;
  readonly node: string;
  readonly activation: number;
  readonly name: string;
}

/** An attempt at a step of a durable function. */
export interface StepCall extends OperationOf {
  readonly attempt: number;
}

/** A logged event that was caused by a client's message. */
export interface ClientEffect {
  readonly executionId: string;
  readonly seq: number;
  /** `type`, `type node` for an event of a node, or `type node item` for one of an item of its list. */
  readonly what: string;
  /** The commit: the sequence from which it continued. */
  readonly fromSeq: number;
}

const ENDED = new Set<string>(TERMINAL);
/** Events that a cancel causes: it begins the end, or brings on the end that had begun. */
const ENDING = new Set([
  'workflow_finalizing',
  'workflow_cancelled',
  'workflow_failed',
  'workflow_completed',
  'strategy_limit_hit',
  'segment_boundary',
]);
/** A request is refused after so many conflicts, each with another commit within this time. */
const MIN_CONFLICTS = 8;
const CONFLICTS_WITHIN_MS = 40_000;
/** After this time, processes know that the database was set back. */
const NOTICED_MS = 2_000;
/** Prefix of the actor names of simulated clients; each request has its own name. */
export const CLIENT_PREFIX = 'client ';

/**
 * Observes every durable transaction, every reply and every call of a tool, and reports violations immediately. It knows the log only by its
 * writes, and nothing about the implementation of the runtime.
 */
export class OnlineChecker {
  readonly violations: string[] = [];
  /** By the client's name. */
  readonly effects = new Map<string, ClientEffect[]>();
  /** By execution: keys of its state that acknowledged results of work beside the workflow have set. */
  readonly detached = new Map<string, string[]>();
  readonly #report: (violation: string) => void;
  readonly #nowMs: () => number;
  readonly #heads = new Map<string, { readonly seq: number; readonly status: string }>();
  /** By execution: when it ended first. */
  readonly #ended = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #finalizing = new Set<string>();
  /** By parent: its children. And the executions to which a cancel was sent. */
  readonly #children = new Map<string, string[]>();
  readonly #cancelled = new Set<string>();
  /** By execution: the times of its commits. */
  readonly #commits = new Map<string, number[]>();
  readonly #fired = new Set<string>();
  /** By item: the fence of its settlement. */
  readonly #settled = new Map<string, number>();
  readonly #claims = new Set<string>();
  readonly #calls = new Map<string, number>();
  /** The highest sequence of each execution that any client has seen. */
  readonly #knownSequences = new Map<string, number>();
  /** Executions that the database has lost. */
  readonly #lost = new Set<string>();
  #setBackAtMs: number | null = null;
  #database: MemoryDatabase | null = null;

  constructor(nowMs: () => number, report: (violation: string) => void) {
    this.#nowMs = nowMs;
    this.#report = report;
  }

  watch(database: MemoryDatabase): void {
    this.#database = database;
  }

  /** How often the database was set back. */
  setBacks = 0;

  /** Remembers what is durable; returns a function to call when the database has returned to that. */
  backUp(): () => void {
    const { effects, detached } = this;
    const maps: Map<string, unknown>[] = [detached, this.#heads, this.#ended, this.#children, this.#commits, this.#settled];
    const sets = [this.#finalizing, this.#cancelled, this.#fired, this.#claims];
    const restored = [...[...maps, this.#knownSequences].map(restoreMap), ...sets.map(restoreSet)];
    const counts = [...effects].map(([client, { length }]) => [client, length] as const);
    return () => {
      const before = [...this.#heads.keys()];
      for (const restore of restored) restore();
      for (const client of [...effects.keys()]) if (!counts.some(([known]) => known === client)) effects.delete(client);
      for (const [client, length] of counts) effects.get(client)?.splice(length);
      for (const id of before) if (!this.#heads.has(id)) this.#lose(id);
      this.#calls.clear();
      this.#setBackAtMs = this.#nowMs();
      this.setBacks += 1;
    };
  }

  #lose(executionId: string): void {
    this.#lost.add(executionId);
    for (const resolve of this.#waiting.get(executionId) ?? []) resolve();
  }

  isLost(executionId: string): boolean {
    return this.#lost.has(executionId);
  }

  /** The sequence up to which the log of an execution is durable. */
  durableSequence(executionId: string): number {
    return this.#heads.get(executionId)?.seq ?? 0;
  }

  addViolation(text: string): void {
    this.violations.push(text);
    this.#report(text);
  }

  onCommit(writes: readonly ExecutionWrite[]): void {
    for (const write of writes) {
      const before = this.#heads.get(write.id) ?? { seq: 0, status: 'new' };
      if (write.fromSeq !== before.seq)
        this.addViolation(`${write.id}: a commit from ${write.fromSeq} follows one that led to ${before.seq}`);
      if (ENDED.has(before.status) && write.revive === undefined && write.progress.status !== before.status)
        this.addViolation(`${write.id}: ${before.status} was not its end: ${write.progress.status}`);
      this.#heads.set(write.id, write.progress);
      this.#commits.set(write.id, [...(this.#commits.get(write.id) ?? []), this.#nowMs()]);
      this.#timers(write);
      if (write.create?.parentId != null)
        this.#children.set(write.create.parentId, [...(this.#children.get(write.create.parentId) ?? []), write.id]);
      for (const { toExecutionId, message } of write.send) if (message.includes('"cancel"')) this.#cancelled.add(toExecutionId);
      this.#work(write);
      const copied = write.events.find(({ type }) => type === 'workflow_forked')?.seq ?? 0;
      for (const { actorId, seq, type, nodeId, data } of write.events) {
        // A next segment begins in the name of who started its chain.
        if (!actorId.startsWith(CLIENT_PREFIX) || seq < copied || data.continued_from !== undefined) continue;
        // The result was taken, and the edges of its node need more work than a step may do.
        const effect = data.error_class === BUDGET_EXCEEDED ? 'node_completed' : type;
        const what = nodeId === null || type === 'approval_received' ? type : `${effect} ${nodeId}${itemText(data.item)}`;
        this.#effect(actorId, { executionId: write.id, seq, what, fromSeq: write.fromSeq });
      }
      if (ENDED.has(write.progress.status)) {
        if (!this.#ended.has(write.id)) this.#ended.set(write.id, this.#nowMs());
        for (const resolve of this.#waiting.get(write.id) ?? []) resolve();
        this.#waiting.delete(write.id);
      }
      if (write.events.some(({ type }) => type === 'workflow_finalizing')) this.#finalizing.add(write.id);
    }
    for (const { id } of writes) for (const child of this.#children.get(id) ?? []) this.#child(id, child);
  }

  /**
   * A live child for which its parent does not wait any more must have been sent a cancel. The next segment of a child gets it once its parent
   * knows of it.
   */
  #child(parent: string, child: string): void {
    const { tables } = this.#database ?? {};
    const stored = tables?.executions.get(child);
    if (tables === undefined || stored === undefined || ENDED.has(stored.row.status) || this.#cancelled.has(child)) return;
    if (stored.row.labels.includes('jamjet.segment')) return;
    if (unwantedSinceMs(tables, stored) !== null) this.addViolation(`${child} was not cancelled, and ${parent} needs it no more`);
  }

  #effect(actorId: string, effect: ClientEffect): void {
    const effects = this.effects.get(actorId);
    if (effects === undefined) this.effects.set(actorId, [effect]);
    else effects.push(effect);
  }

  #timers({ id: executionId, timers }: ExecutionWrite): void {
    for (const timer of timers) {
      if (timer.op !== 'fire') continue;
      const arming = `${executionId} ${timer.id} ${timer.armedSeq}`;
      if (this.#fired.has(arming)) this.addViolation(`timer ${arming} has fired twice`);
      this.#fired.add(arming);
    }
  }

  #work({ work }: ExecutionWrite): void {
    for (const each of work) {
      if (each.op !== 'settle') continue;
      const fence = this.#database?.tables.items.get(each.id)?.fence ?? 0;
      const before = this.#settled.get(each.id);
      if (before !== undefined)
        this.addViolation(`work item ${each.id} is settled under fence ${fence}, and was under ${before}`);
      this.#settled.set(each.id, fence);
    }
  }

  /** A request was acknowledged: its effect must be in the log, once. An event for a segment that has ended is one for a later segment. */
  onAcknowledged(client: string, executionId: string, what: string): void {
    const effects = (this.effects.get(client) ?? []).filter((effect) => effect.what === what);
    if (effects.length !== 1)
      this.addViolation(`${client} was acknowledged, and its ${what} is in the log ${effects.length} times`);
    for (const { executionId: to, seq } of effects) {
      const isForwarded =
        what === 'external_event_received' && this.#ended.has(executionId) && this.#isLaterSegment(to, executionId);
      if (to !== executionId && !isForwarded)
        this.addViolation(`${client}: its ${what} is in the log of ${to}, not of ${executionId}`);
      this.#knownSequences.set(to, Math.max(this.#knownSequences.get(to) ?? 0, seq));
    }
  }

  /** Does an execution continue another one? */
  #isLaterSegment(later: string, earlier: string): boolean {
    const of = this.#placeInChain(later);
    const before = this.#placeInChain(earlier);
    return of.first === before.first && of.segment > before.segment;
  }

  #placeInChain(id: string): { readonly first: string; readonly segment: number } {
    const labels = JSON.parse(this.#database?.tables.executions.get(id)?.row.labels ?? '{}') as Readonly<Record<string, string>>;
    return { first: labelOfChain(labels, id).value, segment: segmentOf(labels).segment };
  }

  /** A cancel was acknowledged: the execution has ended by it, or has begun to, or its finalizers were given up. */
  onCancelled(client: string, executionId: string): void {
    const effects = (this.effects.get(client) ?? []).filter(({ what }) => ENDING.has(what));
    const commits = new Set(effects.map(({ fromSeq }) => fromSeq));
    if (commits.size !== 1 || effects.some((effect) => effect.executionId !== executionId))
      this.addViolation(`${client} was acknowledged, and ${executionId} was ended by it ${commits.size} times`);
  }

  onDetachedDone(executionId: string, key: string): void {
    this.detached.set(executionId, [...(this.detached.get(executionId) ?? []), key]);
  }

  /** A request was refused permanently: its effect must not be in the log. */
  onRefused(client: string, what: string): void {
    const effects = (this.effects.get(client) ?? []).filter((effect) => effect.what === what);
    if (effects.length > 0) this.addViolation(`${client} was refused, and its ${what} is in the log`);
  }

  /** The outcome of a request is unknown: its effect may be in the log, at most once. */
  onUnknown(client: string, what: string): void {
    const effects = (this.effects.get(client) ?? []).filter((effect) => effect.what === what);
    if (effects.length > 1) this.addViolation(`${client} has ${effects.length} times ${what} in the log`);
  }

  /** A request was refused because the execution is said to change too often. A frozen process may say so long after it was sent. */
  onTooManyConflicts(client: string, executionId: string, sentAtMs: number): void {
    const sinceMs = Math.min(sentAtMs, this.#nowMs() - CONFLICTS_WITHIN_MS);
    const commits = (this.#commits.get(executionId) ?? []).filter((atMs) => atMs >= sinceMs).length;
    if (commits < MIN_CONFLICTS)
      this.addViolation(`${client} was refused because ${executionId} changes too often, which it did ${commits} times`);
  }

  /** Whether the execution has ever ended; a retry may have continued it. */
  hasEnded(executionId: string): boolean {
    return this.#ended.has(executionId);
  }

  /** When the execution ended for the first time; null = it has not. */
  firstEndMs(executionId: string): number | null {
    return this.#ended.get(executionId) ?? null;
  }

  /** Resolves with the next end of the execution; at once if it has ended, or is lost. */
  whenEnded(executionId: string): Promise<void> {
    if (this.isLost(executionId) || ENDED.has(this.#heads.get(executionId)?.status ?? '')) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(executionId, [...(this.#waiting.get(executionId) ?? []), resolve]));
  }

  /** Whether the execution has ever ended, or its finalizers have run. */
  hasBegunToEnd(executionId: string): boolean {
    return this.#ended.has(executionId) || this.#finalizing.has(executionId);
  }

  /** The lowest sequence that a read request sent now may return. */
  knownSequence(executionId: string): number {
    return this.#knownSequences.get(executionId) ?? 0;
  }

  /** A reader received the execution at a sequence. `atLeast`: the sequence that clients knew when the request was sent. */
  onRead(client: string, executionId: string, seq: number, atLeast: number): void {
    const durable = this.#heads.get(executionId)?.seq ?? 0;
    if (seq > durable) this.addViolation(`${client} read ${executionId} at ${seq}, and only ${durable} is durable`);
    if (seq < atLeast) this.addViolation(`${client} read ${executionId} at ${seq}, and clients had seen ${atLeast}`);
    this.#knownSequences.set(executionId, Math.max(this.#knownSequences.get(executionId) ?? 0, seq));
  }

  onClaimed(worker: string, itemId: string, fence: number): void {
    const claim = `${itemId} ${fence}`;
    if (this.#claims.has(claim)) this.addViolation(`work item ${itemId} was claimed twice under fence ${fence}`);
    this.#claims.add(claim);
    const item = this.#database?.tables.items.get(itemId);
    if (item === undefined || item.fence < fence)
      this.addViolation(`${worker} claimed ${itemId} under fence ${fence}, and that is not durable`);
  }

  /** A worker's result was accepted under a fence. */
  onSettled(worker: string, itemId: string, fence: number): void {
    const settled = this.#settled.get(itemId);
    if (settled === undefined) this.addViolation(`${worker} got a success for ${itemId}, and it is not`);
    else if (settled !== fence)
      this.addViolation(`${worker} holds fence ${fence} of ${itemId}, which was settled under ${settled}`);
  }

  /** The code of a step runs: the step must not have a result yet. */
  onStepCall({ executionId, node, activation, name, attempt }: StepCall): void {
    if (this.#isUnnoticed) return;
    const of = `step ${name} ${attempt} of ${executionId} ${node}:${activation}`;
    if (this.#ends({ executionId, node, activation, name }, false).some(({ type }) => type === 'step_completed'))
      this.addViolation(`${of} runs again, and has a result`);
  }

  /** A durable function goes on with the result of an operation: it must be durable. */
  onGiven(operation: OperationOf, output: Json): void {
    if (this.#isUnnoticed) return;
    const { executionId, node, activation, name } = operation;
    const of = `${name} of ${executionId} ${node}:${activation}`;
    const isRetried = this.#isRetried(executionId);
    const [first] = this.#ends(operation, isRetried);
    if (first === undefined) this.addViolation(`a function goes on with the result of ${of}, which is not durable`);
    const logged = first?.type === 'step_completed' && !isRetried ? (JSON.parse(first.data) as JsonObject).output : undefined;
    if (isObject(logged) && logged.step !== undefined && logged.step !== (isObject(output) ? output.step : undefined))
      this.addViolation(`a function is given ${JSON.stringify(output)} for ${of}, and ${JSON.stringify(logged)} is durable`);
  }

  /** An update was accepted: it must be in the log, once. */
  onUpdateAccepted(client: string, executionId: string, sequence: number): void {
    const received = (this.effects.get(client) ?? []).filter(({ what }) => what.startsWith('update_received'));
    const [first] = received;
    if (received.length !== 1 || first?.executionId !== executionId || first.seq !== sequence)
      this.addViolation(
        `${client}: its update is in the log ${received.length} times, and not only at ${executionId} ${sequence}`,
      );
  }

  /** An update was answered: the answer must be durable. */
  onUpdateAnswered(client: string, executionId: string, sequence: number, output: Json): void {
    if (this.#isUnnoticed) return;
    const events = this.#database?.tables.executions.get(executionId)?.events ?? [];
    const handled = events.filter(({ type }) => type === 'update_handled').map(({ data }) => JSON.parse(data) as JsonObject);
    const answers = handled.filter(({ received }) => received === sequence);
    if (answers.length !== 1 || answers[0]?.output !== output)
      this.addViolation(`${client} was answered ${JSON.stringify(output)}, and durable is ${JSON.stringify(answers)}`);
  }

  /** The events with results of an operation. `isBefore`: also those of earlier visits, with which a retry goes on. */
  #ends({ executionId, node, activation, name }: OperationOf, isBefore: boolean) {
    const events = this.#database?.tables.executions.get(executionId)?.events ?? [];
    return events.filter(({ type, nodeId, data }) => {
      if (nodeId !== node || (type !== 'step_completed' && type !== 'step_failed')) return false;
      const ended = JSON.parse(data) as JsonObject;
      const isOfVisit = ended.activation === activation || (isBefore && Number(ended.activation) < activation);
      return ended.name === name && isOfVisit && ended.delay_ms === undefined;
    });
  }

  #isRetried(executionId: string): boolean {
    const events = this.#database?.tables.executions.get(executionId)?.events ?? [];
    return events.some(({ type }) => type === 'workflow_retried');
  }

  /** A process may not have noticed yet that the database was set back. */
  get #isUnnoticed(): boolean {
    return this.#setBackAtMs !== null && this.#nowMs() < this.#setBackAtMs + NOTICED_MS;
  }

  /** A tool is called: its attempt must be durable, and called at most as often as it was scheduled. */
  onToolCall({ executionId, node, activation, attempt, item }: ToolCall): void {
    if (this.#isUnnoticed) return;
    const visit = `${executionId} ${node}:${activation}:${attempt}${itemText(item)}`;
    const calls = (this.#calls.get(visit) ?? 0) + 1;
    this.#calls.set(visit, calls);
    const events = this.#database?.tables.executions.get(executionId)?.events ?? [];
    const scheduled = events.filter((event) => {
      if (event.type !== 'node_scheduled' || event.nodeId !== node) return false;
      const data = JSON.parse(event.data) as JsonObject;
      const isOfItem = data.item === item && data.activation === activation && data.attempt === attempt;
      return data.in_process === true && isOfItem;
    }).length;
    if (calls > scheduled)
      this.addViolation(`the tool of ${visit} is called ${calls} times, and was scheduled ${scheduled} times`);
  }
}

/** What names an item beside its node. */
export function itemText(item: Json | undefined): string {
  return typeof item === 'number' ? ` item ${item}` : '';
}

function restoreMap<V>(map: Map<string, V>): () => void {
  const before = [...map];
  return () => {
    map.clear();
    for (const [name, value] of before) map.set(name, value);
  };
}

function restoreSet(set: Set<string>): () => void {
  const before = [...set];
  return () => {
    set.clear();
    for (const value of before) set.add(value);
  };
}
