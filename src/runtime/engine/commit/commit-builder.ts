import type { LogEvent } from '../../../../machines/events.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import type { Message } from '../../../../machines/messages.ts';
import { type Effect, type Run, TERMINAL } from '../../../../machines/run.ts';
import type { TimerWrite, WorkWrite } from '../../../../store/port/commit.ts';
import type { EventRow, ExecutionProgress, InboxMessage } from '../../../../store/port/executions.ts';
import type { Artifact } from '../../../../store/port/resources/artifacts.ts';
import { RENDERED_ON_CLAIM } from '../../activities/external/work-payloads.ts';
import type { Actor } from '../../actor.ts';
import type { Ids } from '../../ids.ts';
import { offload } from '../../log/offloaded-payloads.ts';
import type { CopiedHistory, Preconditions } from '../envelope.ts';
import type { LoadedWorkflow } from '../loading/workflow-cache.ts';

/** What one or several steps of one execution ask the store to write, collected in order. */
export interface CommitBuilder {
  readonly events: EventRow[];
  readonly timers: TimerWrite[];
  readonly work: WorkWrite[];
  readonly send: InboxMessage[];
  readonly consumed: number[];
  /** In order, each with the run of the step that asked for it. */
  readonly effects: { readonly effect: Effect; readonly run: Run }[];
  readonly diagnostics: string[];
  /** What the events refer to instead of holding it. */
  readonly offloaded: Artifact[];
  /** What the completed nodes report, added up. */
  usage: { readonly tokens: number; readonly costUsd: number } | null;
  logBytes: number;
}

export function newCommitBuilder(): CommitBuilder {
  return {
    events: [],
    timers: [],
    work: [],
    send: [],
    consumed: [],
    effects: [],
    diagnostics: [],
    offloaded: [],
    usage: null,
    logBytes: 0,
  };
}

/** What several steps ask for, in order. */
export function mergeBuilders(draughts: readonly CommitBuilder[]): CommitBuilder {
  const [first, ...others] = draughts;
  if (first === undefined) return newCommitBuilder();
  for (const other of others) {
    for (const key of LISTS) for (const each of other[key]) (first[key] as unknown[]).push(each);
    if (other.usage !== null) first.usage = sumOf(first.usage, other.usage);
    first.logBytes += other.logBytes;
  }
  return first;
}

const LISTS = ['events', 'timers', 'work', 'send', 'consumed', 'effects', 'diagnostics', 'offloaded'] as const;

export function isEmpty({ events, timers, work, consumed }: CommitBuilder): boolean {
  return events.length === 0 && timers.length === 0 && work.length === 0 && consumed.length === 0;
}

/** Rows of a step's events. Whoever caused the step is the actor, except where a runtime begins in-process work. */
export function addEvents(
  draught: CommitBuilder,
  events: readonly LogEvent[],
  origin: Actor,
  message: Message | null,
  nowMs: number,
  artifactThresholdBytes: number,
): void {
  for (const event of events) {
    const data = JSON.stringify(event.data);
    const apart = offload(event, data, artifactThresholdBytes, nowMs);
    // A replay needs the output wherever it is kept, and no state.
    draught.logBytes += (event.type === 'node_completed' ? data : (apart?.data ?? data)).length;
    if (apart !== null) draught.offloaded.push(apart.artifact);
    if (event.type === 'node_completed') addUsage(draught, event.data);
    const { actorId, actorType, onBehalfOf } = runtimeAsActor(event, message) ?? origin;
    draught.events.push({
      seq: event.sequence,
      type: event.type,
      nodeId: event.node_id,
      data: apart?.data ?? data,
      atMs: nowMs,
      actorId,
      actorType,
      onBehalfOf,
      request: origin.request,
    });
  }
}

/** What a fork has in common with another execution: written as it was, and paid for by that one. */
export function addCopiedHistory(draught: CommitBuilder, { events, artifacts }: CopiedHistory): void {
  for (const event of events) draught.events.push(event);
  for (const artifact of artifacts) draught.offloaded.push(artifact);
}

/** Tools may report anything: what is no number counts as nothing. */
function addUsage(draught: CommitBuilder, { input_tokens, output_tokens, cost_usd }: JsonObject): void {
  if (input_tokens === undefined && output_tokens === undefined && cost_usd === undefined) return;
  const tokens = Math.ceil(nonNegative(input_tokens)) + Math.ceil(nonNegative(output_tokens));
  draught.usage = sumOf(draught.usage, { tokens, costUsd: nonNegative(cost_usd) });
}

function sumOf(some: CommitBuilder['usage'], more: NonNullable<CommitBuilder['usage']>): NonNullable<CommitBuilder['usage']> {
  const { tokens, costUsd } = some ?? { tokens: 0, costUsd: 0 };
  return { tokens: Math.min(tokens + more.tokens, Number.MAX_SAFE_INTEGER), costUsd: costUsd + more.costUsd };
}

function nonNegative(reported: Json | undefined): number {
  return typeof reported === 'number' && reported > 0 ? Math.min(reported, Number.MAX_SAFE_INTEGER) : 0;
}

/** A `worker_id` that no client has given is the runtime's own. */
function runtimeAsActor(event: LogEvent, message: Message | null): Omit<Actor, 'request'> | null {
  if (event.type !== 'node_started' || message?.type === 'claimed' || typeof event.data.worker_id !== 'string') return null;
  return { actorId: event.data.worker_id, actorType: 'system', onBehalfOf: null };
}

export interface EffectContext {
  readonly loaded: LoadedWorkflow;
  readonly run: Run;
  readonly nowMs: number;
  readonly ids: Ids;
}

/** The durable half of a step's effects; in-process work is begun only after the commit. */
export function addEffects(draught: CommitBuilder, effects: readonly Effect[], context: EffectContext): void {
  for (const effect of effects) {
    draught.effects.push({ effect, run: context.run });
    switch (effect.type) {
      case 'work':
        if (!effect.local) draught.work.push(workItem(effect, context));
        break;
      case 'abandon':
        if (!effect.local) draught.work.push({ op: 'cancel', nodeId: effect.node, activation: effect.activation });
        break;
      case 'spawn':
        break;
      case 'cancel_child':
        draught.send.push({
          toExecutionId: effect.childId,
          message: JSON.stringify({ type: 'cancel', reason: 'parent execution left it' }),
        });
        break;
      case 'set_timer':
        draught.timers.push({ op: 'set', id: effect.id, nodeId: effect.node, atMs: effect.atMs, armedSeq: context.run.seq });
        break;
      case 'clear_timer':
        draught.timers.push({ op: 'clear', id: effect.id });
        break;
      default: {
        const unhandled: never = effect;
        throw new TypeError(`unhandled effect ${JSON.stringify(unhandled)}`);
      }
    }
  }
}

function workItem(effect: Effect & { type: 'work' }, context: EffectContext): WorkWrite {
  const { loaded, nowMs, ids } = context;
  const { retry, timeout_secs } = loaded.program.tables.nodeOf(effect.node);
  return {
    op: 'put',
    item: {
      id: ids.workItem(nowMs),
      nodeId: effect.node,
      activation: effect.activation,
      attempt: effect.attempt,
      maxAttempts: retry.max_attempts,
      queue: effect.queue,
      payload: RENDERED_ON_CLAIM,
      // 1.001 s times 1,000 is not quite 1,001.
      timeoutMs: timeout_secs === null ? null : Math.round(timeout_secs * 1000),
      createdAtMs: nowMs,
    },
  };
}

/**
 * The conditions a message carries, as writes the store refuses when they do not hold. `events` are those of its step; null = the machine has
 * refused it, and an item that it settles all the same is wanted by nobody.
 */
export function addConditions(
  draught: CommitBuilder,
  conditions: Preconditions | undefined,
  events: readonly LogEvent[] | null,
): void {
  if (conditions?.fire !== undefined) draught.timers.push({ op: 'fire', ...conditions.fire });
  if (conditions?.settle !== undefined) {
    draught.work.push({ op: 'settle', ...conditions.settle, status: events === null ? 'cancelled' : settledBy(events) });
  }
}

function settledBy(events: readonly LogEvent[]): 'completed' | 'failed' | 'dead_lettered' {
  const failure = events.find((event) => event.type === 'node_failed');
  if (failure === undefined) return 'completed';
  return failure.data.retryable === false ? 'dead_lettered' : 'failed';
}

export function headOf(run: Run, error: string | null, owner: string, nowMs: number): ExecutionProgress {
  return {
    status: run.status,
    seq: run.seq,
    steps: run.steps,
    error,
    localWork: run.localWork,
    owner: run.localWork > 0 ? owner : null,
    updatedAtMs: nowMs,
    completedAtMs: TERMINAL.has(run.status) ? nowMs : null,
  };
}
