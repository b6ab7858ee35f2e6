import type { LogEvent } from '../../machines/events.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { ActiveNode, Status } from '../../machines/run.ts';
import { activeOf, stateOf } from '../../machines/step.ts';
import type { Reply } from '../authoring/replies.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import { begin, fire, type Happening, isOver, type Scene, send, type World } from './scene.ts';
import type { Way } from './ways.ts';

/** What became of a scripted run. */
export interface Played {
  readonly status: Status;
  readonly state: JsonObject;
  readonly error: string | null;
  /** Nodes in the order in which they ended, then those still waited for. */
  readonly visited: readonly string[];
  readonly ways: readonly Way[];
  readonly timeline: readonly Moment[];
  /** It was still going on when the bound on steps was reached. */
  readonly cutShort: boolean;
}

/** A line of the timeline. */
export interface Moment {
  readonly node: string;
  readonly what: 'completed' | 'failed' | 'retried' | 'skipped' | 'cancelled' | 'approved' | 'rejected' | 'timed out' | 'waits';
  /** The output, or the error. */
  readonly value: Json;
  /** Since the beginning. */
  readonly atMs: number;
}

/** Steps of one scripted run, at most: a loop that is always answered the same ends here. */
const MAX_STEPS = 2_000;

export function play(world: World, test: AuthoredTest): Played {
  const player = new Player(world, test);
  player.run();
  return player.result();
}

/** Plays the world for one run as its script says: what is not in it succeeds with `{}`, decisions and events stay out. */
class Player {
  readonly #world: World;
  readonly #results: AuthoredTest['results'];
  readonly #beganMs: number;
  /** How many replies of each node were used. */
  readonly #used = new Map<string, number>();
  readonly #ended: string[] = [];
  readonly #ways: Way[] = [];
  readonly #timeline: Moment[] = [];
  #scene: Scene;
  #steps = 0;

  constructor(world: World, test: AuthoredTest) {
    this.#world = world;
    this.#results = test.results;
    const begun = begin(world, test.input);
    this.#scene = begun.scene;
    this.#beganMs = begun.scene.nowMs;
    this.#took(begun);
  }

  run(): void {
    for (const [node, replies] of this.#results) {
      for (const reply of replies) if (reply.type === 'event' && reply.at === 'early') this.#sendEvent(node, reply.payload);
    }
    while (!isOver(this.#scene) && this.#steps < MAX_STEPS) if (!this.#move()) return;
  }

  result(): Played {
    const { run } = this.#scene;
    const over = isOver(this.#scene);
    const waiting = over ? [] : activeOf(this.#world.program, run).map(({ node }) => node);
    const atMs = this.#scene.nowMs - this.#beganMs;
    return {
      status: run.status,
      state: stateOf(run),
      error: run.error,
      visited: [...this.#ended, ...waiting],
      ways: this.#ways,
      timeline: [...this.#timeline, ...waiting.map((node) => ({ node, what: 'waits' as const, value: null, atMs }))],
      cutShort: !over && this.#steps >= MAX_STEPS,
    };
  }

  /** What needs no time comes first, in the order in which the nodes were written; then the timer that is due first. */
  #move(): boolean {
    const active = activeOf(this.#world.program, this.#scene.run);
    for (const visit of active) if (this.#answer(visit)) return true;
    const due = active
      .flatMap((visit) => {
        const timer = this.#scene.timers.get(visit.node);
        return timer !== undefined && this.#lets(visit) ? [{ visit, timer }] : [];
      })
      .sort((a, b) => a.timer.atMs - b.timer.atMs)[0];
    if (due === undefined) return false;
    const { node, phase } = due.visit;
    const reply = phase === 'backoff' ? null : this.#peek(node);
    if (reply?.type === 'timeout') this.#use(node);
    const moved = this.#take(fire(this.#world, this.#scene, node));
    if (moved && reply?.type === 'event' && reply.at === 'late' && !isOver(this.#scene)) {
      this.#use(node);
      this.#sendEvent(node, reply.payload);
    }
    return moved;
  }

  /** May its time pass? Of a wait with an event, and of an approval, only when the script says so. */
  #lets({ node, phase, waitsFor }: ActiveNode): boolean {
    if (phase === 'backoff' || (phase === 'waiting' && waitsFor === null)) return true;
    const reply = this.#peek(node);
    return reply?.type === 'timeout' || (reply?.type === 'event' && reply.at === 'late');
  }

  #answer(active: ActiveNode): boolean {
    const { node, activation, attempt, phase, waitsFor, childId } = active;
    const visit = { node, activation, attempt };
    const reply = this.#peek(node);
    switch (phase) {
      case 'running':
      case 'queued':
      case 'child': {
        const scripted: Reply = reply === null || reply.type === 'decide' ? { type: 'output', output: {} } : reply;
        this.#use(node);
        const child = { type: 'child', ...visit, childId: childId ?? '', childWorkflowId: node } as const;
        if (scripted.type === 'fail') {
          const { error, retryable, errorClass } = scripted;
          const change = { status: 'failed', error } as const;
          const classed = errorClass === null ? {} : { errorClass };
          return this.#send(phase === 'child' ? { ...child, change } : { type: 'fail', ...visit, error, retryable, ...classed });
        }
        const output = scripted.type === 'output' ? scripted.output : {};
        const change = { status: 'completed', result: output } as const;
        return this.#send(phase === 'child' ? { ...child, change } : { type: 'done', ...visit, output, durationMs: 0 });
      }
      case 'held':
      case 'approval': {
        if (reply?.type !== 'decide') return false;
        this.#use(node);
        const { decision, userId, comment, patch } = reply;
        return this.#send({ type: 'decide', node, decision, userId, comment, patch });
      }
      case 'waiting':
        if (reply?.type !== 'event' || reply.at !== 'on_time' || waitsFor === null) return false;
        this.#use(node);
        return this.#send({ type: 'event', key: waitsFor, payload: reply.payload });
      default:
        return false;
    }
  }

  /** The reply for the next attempt or visit; the last one stays. Early events were sent at the beginning. */
  #peek(node: string): Reply | null {
    const replies = (this.#results.get(node) ?? []).filter((reply) => reply.type !== 'event' || reply.at !== 'early');
    return replies[Math.min(this.#used.get(node) ?? 0, replies.length - 1)] ?? null;
  }

  #use(node: string): void {
    this.#used.set(node, (this.#used.get(node) ?? 0) + 1);
  }

  #sendEvent(node: string, payload: Json): void {
    const { kind } = this.#world.program.statics.nodeOf(node);
    if (kind.type === 'wait') this.#send({ type: 'event', key: kind.correlation_key, payload });
  }

  #send(message: Parameters<typeof send>[2]): boolean {
    return this.#take(send(this.#world, this.#scene, message));
  }

  #take(happening: Happening | null): boolean {
    if (happening === null) return false;
    this.#steps += 1;
    this.#scene = happening.scene;
    this.#took(happening);
    return true;
  }

  #took({ events, ways, scene }: Happening): void {
    this.#ways.push(...ways);
    const decided = new Map<string, 'approved' | 'rejected' | 'timed out'>();
    for (const event of events) {
      const { type, node_id: node, data } = event;
      if (node === null) continue;
      if (type === 'approval_received') decided.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
      if (type === 'timer_fired') decided.set(node, 'timed out');
      const what = happened(event, decided.get(node));
      if (what === null) continue;
      if (type === 'node_completed' || what === 'failed') this.#ended.push(node);
      this.#timeline.push({ node, what, value: data.error ?? data.output ?? null, atMs: scene.nowMs - this.#beganMs });
    }
  }
}

function happened({ type, data }: LogEvent, decided: 'approved' | 'rejected' | 'timed out' | undefined): Moment['what'] | null {
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
