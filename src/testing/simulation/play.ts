import type { LogEvent } from '../../../machines/events/index.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import type { ActiveNode, Status } from '../../../machines/run.ts';
import { activeOf, stateOf } from '../../../machines/step/index.ts';
import type { Reply } from '../../authoring/replies.ts';
import type { AuthoredTest } from '../../authoring/tests.ts';
import type { Branch } from './branches.ts';
import {
  fireTimer,
  hasEnded,
  type SimState,
  type SimStep,
  type SimWorkflow,
  sendMessage,
  startRun,
  timerKey,
} from './simulation.ts';

/** The result of a scripted run. */
export interface PlayResult {
  readonly status: Status;
  readonly state: JsonObject;
  readonly error: string | null;
  /** Nodes in the order in which they ended, then those that are still active. */
  readonly visited: readonly string[];
  readonly branches: readonly Branch[];
  readonly timeline: readonly TestEvent[];
  /** The run had not ended after `MAX_STEPS`. */
  readonly cutShort: boolean;
}

/** An entry of the timeline of a test. */
export interface TestEvent {
  readonly node: string;
  readonly what: 'completed' | 'failed' | 'retried' | 'skipped' | 'cancelled' | 'approved' | 'rejected' | 'timed out' | 'waits';
  /** The output or the error. */
  readonly value: Json;
  /** Simulated time since the start. */
  readonly atMs: number;
}

/** Maximum number of steps of a scripted run, which ends a loop whose replies never change. */
const MAX_STEPS = 2_000;

export function play(workflow: SimWorkflow, test: AuthoredTest): PlayResult {
  const player = new Player(workflow, test);
  player.run();
  return player.result();
}

/** Runs a workflow by the script of a test. Work without a scripted result completes as its kind says, usually with `{}`; decisions and events must be scripted. */
class Player {
  readonly #workflow: SimWorkflow;
  readonly #results: AuthoredTest['results'];
  readonly #startedAtMs: number;
  /** Number of consumed replies by node. */
  readonly #consumed = new Map<string, number>();
  readonly #ended: string[] = [];
  readonly #branches: Branch[] = [];
  readonly #timeline: TestEvent[] = [];
  #state: SimState;
  #steps = 0;

  constructor(workflow: SimWorkflow, test: AuthoredTest) {
    this.#workflow = workflow;
    this.#results = test.results;
    const started = startRun(workflow, test.input);
    this.#state = started.state;
    this.#startedAtMs = started.state.nowMs;
    this.#record(started);
  }

  run(): void {
    for (const [node, replies] of this.#results) {
      for (const reply of replies) if (reply.type === 'event' && reply.at === 'early') this.#sendEvent(node, reply.payload);
    }
    while (!hasEnded(this.#state) && this.#steps < MAX_STEPS) if (!this.#next()) return;
  }

  result(): PlayResult {
    const { run } = this.#state;
    const over = hasEnded(this.#state);
    const active = over ? [] : activeOf(this.#workflow.program, run);
    const waiting = active.filter(({ item }) => item === undefined).map(({ node }) => node);
    const atMs = this.#state.nowMs - this.#startedAtMs;
    return {
      status: run.status,
      state: stateOf(run),
      error: run.error,
      visited: [...this.#ended, ...waiting],
      branches: this.#branches,
      timeline: [...this.#timeline, ...waiting.map((node) => ({ node, what: 'waits' as const, value: null, atMs }))],
      cutShort: !over && this.#steps >= MAX_STEPS,
    };
  }

  /** Takes one step: a reply that needs no time, in the order of the nodes in the file, else the timer that is due first. */
  #next(): boolean {
    const active = activeOf(this.#workflow.program, this.#state.run);
    for (const visit of active) if (this.#reply(visit)) return true;
    const due = active
      .flatMap((visit) => {
        const timer = this.#state.timers.get(timerKey(visit));
        return timer !== undefined && this.#mayTimeOut(visit) ? [{ visit, timer }] : [];
      })
      .sort((a, b) => a.timer.atMs - b.timer.atMs)[0];
    if (due === undefined) return false;
    const { node, phase } = due.visit;
    const reply = phase === 'backoff' ? null : this.#nextReply(due.visit);
    if (reply?.type === 'timeout') this.#consumeReply(node);
    const moved = this.#advance(fireTimer(this.#workflow, this.#state, due.visit));
    if (moved && reply?.type === 'event' && reply.at === 'late' && !hasEnded(this.#state)) {
      this.#consumeReply(node);
      this.#sendEvent(node, reply.payload);
    }
    return moved;
  }

  /** Whether the timer of a node may fire. A wait for an event and an approval time out only if the script says so. */
  #mayTimeOut(active: ActiveNode): boolean {
    const { phase, waitsFor } = active;
    if (phase === 'backoff' || (phase === 'waiting' && waitsFor === null)) return true;
    const reply = this.#nextReply(active);
    return reply?.type === 'timeout' || (reply?.type === 'event' && reply.at === 'late');
  }

  #reply(active: ActiveNode): boolean {
    const { node, activation, attempt, item, phase, waitsFor, childId } = active;
    const visit = { node, activation, attempt, item };
    const reply = this.#nextReply(active);
    switch (phase) {
      case 'running':
      case 'queued':
      case 'child': {
        this.#consumeReply(node);
        const scripted = reply === null || reply.type === 'decide' ? null : reply;
        const child = { type: 'child', ...visit, childId: childId ?? '', childWorkflowId: node } as const;
        if (scripted?.type === 'fail') {
          const { error, retryable, errorClass } = scripted;
          const change = { status: 'failed', error } as const;
          const classed = errorClass === null ? {} : { errorClass };
          return this.#send(phase === 'child' ? { ...child, change } : { type: 'fail', ...visit, error, retryable, ...classed });
        }
        const { kind } = this.#workflow.program.tables.nodeOf(node);
        const result = definitionOf(kind).testResult(kind, scripted?.type === 'output' ? scripted : {});
        const change = { status: 'completed', result: result.output } as const;
        const usage = scripted?.type === 'output' && scripted.usage !== undefined ? { usage: scripted.usage } : {};
        const route = scripted?.type === 'output' && scripted.route !== undefined ? { route: scripted.route } : {};
        return this.#send(
          phase === 'child' ? { ...child, change } : { type: 'done', ...visit, ...result, durationMs: 0, ...route, ...usage },
        );
      }
      case 'awaiting_approval':
      case 'approval': {
        if (reply?.type !== 'decide') return false;
        this.#consumeReply(node);
        const { decision, userId, comment, patch } = reply;
        return this.#send({ type: 'decide', node, item, decision, userId, comment, patch });
      }
      case 'waiting':
        if (reply?.type !== 'event' || reply.at !== 'on_time' || waitsFor === null) return false;
        this.#consumeReply(node);
        return this.#send({ type: 'event', key: waitsFor, payload: reply.payload });
      default:
        return false;
    }
  }

  /**
   * The reply for the next attempt or visit, or for the item of a list: one for each, in order; the last one is repeated. Early events are sent at
   * the start instead.
   */
  #nextReply({ node, item }: Pick<ActiveNode, 'node' | 'item'>): Reply | null {
    const replies = (this.#results.get(node) ?? []).filter((reply) => reply.type !== 'event' || reply.at !== 'early');
    return replies[Math.min(item ?? this.#consumed.get(node) ?? 0, replies.length - 1)] ?? null;
  }

  #consumeReply(node: string): void {
    this.#consumed.set(node, (this.#consumed.get(node) ?? 0) + 1);
  }

  #sendEvent(node: string, payload: Json): void {
    const { kind } = this.#workflow.program.tables.nodeOf(node);
    const key = definitionOf(kind).waitsForEvent(kind);
    if (key !== null) this.#send({ type: 'event', key, payload });
  }

  #send(message: Parameters<typeof sendMessage>[2]): boolean {
    return this.#advance(sendMessage(this.#workflow, this.#state, message));
  }

  #advance(step: SimStep | null): boolean {
    if (step === null) return false;
    this.#steps += 1;
    this.#state = step.state;
    this.#record(step);
    return true;
  }

  #record({ events, branches, state }: SimStep): void {
    this.#branches.push(...branches);
    const decided = new Map<string, 'approved' | 'rejected' | 'timed out'>();
    for (const event of events) {
      const { type, node_id: node, data } = event;
      if (node === null || data.item !== undefined) continue;
      if (type === 'approval_received') decided.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
      if (type === 'timer_fired') decided.set(node, 'timed out');
      const what = eventLabel(event, decided.get(node));
      if (what === null) continue;
      if (type === 'node_completed' || what === 'failed') this.#ended.push(node);
      this.#timeline.push({ node, what, value: data.error ?? data.output ?? null, atMs: state.nowMs - this.#startedAtMs });
    }
  }
}

function eventLabel(
  { type, data }: LogEvent,
  decided: 'approved' | 'rejected' | 'timed out' | undefined,
): TestEvent['what'] | null {
  switch (type) {
    case 'node_completed':
      return decided ?? 'completed';
    case 'node_failed':
      return data.retryable === false ? 'failed' : 'retried';
    case 'node_skipped':
      return 'skipped';
    case 'node_cancelled':
      return 'cancelled';
    default:
      return null;
  }
}
