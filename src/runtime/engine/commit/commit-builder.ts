import type { LogEvent } from '../../../../machines/events/index.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { charsUpTo } from '../../../../machines/json-size.ts';
import type { Done, Message } from '../../../../machines/messages.ts';
import { definitionOf } from '../../../../machines/nodes/index.ts';
import { type Effect, type Run, type StepResult, TERMINAL } from '../../../../machines/run.ts';
import { METERED } from '../../../../machines/step/actions/usage.ts';
import { activeVisitOf } from '../../../../machines/step/index.ts';
import type { TimerWrite, WorkWrite } from '../../../../store/port/commit.ts';
import type { EventRow, ExecutionProgress, InboxMessage } from '../../../../store/port/executions.ts';
import type { Artifact } from '../../../../store/port/resources/artifacts.ts';
import type { ThreadTurn } from '../../../../store/port/resources/threads.ts';
import type { Actor } from '../../actor.ts';
import type { Ids } from '../../ids.ts';
import { offload, offloadedReplayBytes } from '../../log/offloaded-payloads.ts';
import type { CopiedHistory, Preconditions } from '../envelope.ts';
import type { LoadedWorkflow } from '../loading/workflow-cache.ts';

/** Stored in place of the payload of a node's work, which is rendered when the item is claimed. */
export const RENDERED_ON_CLAIM = '';

/** Collects, in order, what one or several steps of one execution ask the store to write. */
export interface CommitBuilder {
  readonly events: EventRow[];
  readonly timers: TimerWrite[];
  readonly work: WorkWrite[];
  readonly send: InboxMessage[];
  readonly consumed: number[];
  /** In order, each with the run of the step that asked for it. */
  readonly effects: { readonly effect: Effect; readonly run: Run }[];
  readonly diagnostics: string[];
  /** Payloads that the events refer to. */
  readonly offloaded: Artifact[];
  readonly threads: ThreadTurn[];
  /** The sum of what the attempts report. */
  usage: { readonly tokens: number; readonly costUsd: number } | null;
  logBytes: number;
  /** A step may have asked a person for a decision. */
  asks: boolean;
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
    threads: [],
    usage: null,
    logBytes: 0,
    asks: false,
  };
}

/** Adds the writes of a later step. */
export function addBuilder(builder: CommitBuilder, later: CommitBuilder): void {
  for (const key of LISTS) for (const each of later[key]) (builder[key] as unknown[]).push(each);
  if (later.usage !== null) builder.usage = sumOf(builder.usage, later.usage);
  builder.logBytes += later.logBytes;
  builder.asks ||= later.asks;
}

const LISTS = ['events', 'timers', 'work', 'send', 'consumed', 'effects', 'diagnostics', 'offloaded', 'threads'] as const;

export function isEmpty({ events, timers, work, consumed }: CommitBuilder): boolean {
  return events.length === 0 && timers.length === 0 && work.length === 0 && consumed.length === 0;
}

/**
 * Adds the rows of a step's events. Their actor is the one that caused the step, except where a runtime starts in-process work.
 */
export function addEvents(
  builder: CommitBuilder,
  events: readonly LogEvent[],
  actor: Actor,
  message: Message | null,
  nowMs: number,
  artifactThresholdBytes: number,
): void {
  for (const event of events) {
    const chars = charsUpTo(event.data, Number.POSITIVE_INFINITY);
    const offloaded = offload(event, chars, artifactThresholdBytes, nowMs);
    const data = offloaded?.data ?? event.data;
    // A replay reads an offloaded output, but no offloaded state.
    const isReplayed = offloaded === null || event.type === 'node_completed';
    builder.logBytes += isReplayed ? chars : charsUpTo(data, Number.POSITIVE_INFINITY);
    if (offloaded !== null) builder.offloaded.push(offloaded.artifact);
    // What a child execution used counts with its own.
    if (METERED.has(event.type) && event.data.child_execution_id === undefined) addUsage(builder, event.data);
    else if (event.type === 'interrupt_raised' || event.type === 'tool_approval_required') builder.asks = true;
    const { actorId, actorType, onBehalfOf } = runtimeAsActor(event, message) ?? actor;
    builder.events.push({
      seq: event.sequence,
      type: event.type,
      nodeId: event.node_id,
      data,
      atMs: nowMs,
      actorId,
      actorType,
      onBehalfOf,
      request: actor.request,
    });
  }
}

/** Adds the history that a fork shares with its origin, as it was written. Its usage counts for the origin alone. */
export function addCopiedHistory(builder: CommitBuilder, { events, artifacts }: CopiedHistory): void {
  builder.asks = true;
  for (const event of events) {
    builder.events.push(event);
    builder.logBytes += charsUpTo(event.data, Number.POSITIVE_INFINITY) + offloadedReplayBytes(event.type, event.data);
  }
  for (const artifact of artifacts) builder.offloaded.push(artifact);
}

/** Tools may report anything: a value that is not a positive number counts as 0. */
function addUsage(builder: CommitBuilder, { input_tokens, output_tokens, cost_usd }: JsonObject): void {
  if (input_tokens === undefined && output_tokens === undefined && cost_usd === undefined) return;
  const tokens = Math.ceil(nonNegative(input_tokens)) + Math.ceil(nonNegative(output_tokens));
  builder.usage = sumOf(builder.usage, { tokens, costUsd: nonNegative(cost_usd) });
}

function sumOf(some: CommitBuilder['usage'], more: NonNullable<CommitBuilder['usage']>): NonNullable<CommitBuilder['usage']> {
  const { tokens, costUsd } = some ?? { tokens: 0, costUsd: 0 };
  return { tokens: Math.min(tokens + more.tokens, Number.MAX_SAFE_INTEGER), costUsd: costUsd + more.costUsd };
}

function nonNegative(reported: Json | undefined): number {
  return typeof reported === 'number' && reported > 0 ? Math.min(reported, Number.MAX_SAFE_INTEGER) : 0;
}

/** A `worker_id` that no client has sent names the runtime. */
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

/** Adds the durable part of a step's effects. In-process work starts only after the commit. */
export function addEffects(builder: CommitBuilder, effects: readonly Effect[], context: EffectContext): void {
  for (const effect of effects) {
    builder.effects.push({ effect, run: context.run });
    switch (effect.type) {
      case 'work':
        if (!effect.local) builder.work.push(workItem(effect, context));
        break;
      case 'abandon':
        if (!effect.local) {
          const { node: nodeId, activation, item = null } = effect;
          builder.work.push({ op: 'cancel', nodeId, activation, item });
        }
        break;
      case 'spawn':
      case 'release':
      case 'operations_changed':
        break;
      case 'cancel_child':
        builder.send.push(cancelOfChild(effect.childId));
        break;
      // The next segment is part of the same unit.
      case 'continue_as_new':
        break;
      case 'set_timer':
        builder.timers.push({ op: 'set', id: effect.id, nodeId: effect.node, atMs: effect.atMs, armedSeq: context.run.seq });
        break;
      case 'clear_timer':
        builder.timers.push({ op: 'clear', id: effect.id });
        break;
      default: {
        const unhandled: never = effect;
        throw new TypeError(`unhandled effect ${JSON.stringify(unhandled)}`);
      }
    }
  }
}

/** The message that cancels a child for which its parent does not wait any more. */
export function cancelOfChild(toExecutionId: string): InboxMessage {
  return { toExecutionId, message: JSON.stringify({ type: 'cancel', reason: 'parent execution left it' }) };
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
      item: effect.item ?? null,
      maxAttempts: retry.max_attempts,
      queue: effect.queue,
      tool: toolOf(loaded, effect.node),
      payload: RENDERED_ON_CLAIM,
      // Rounded because 1.001 × 1000 is slightly less than 1001 in floating point.
      timeoutMs: timeout_secs === null ? null : Math.round(timeout_secs * 1000),
      createdAtMs: nowMs,
    },
  };
}

/** The tool that the work asks for: what workers say that they serve. */
function toolOf({ kindOf }: LoadedWorkflow, node: string): string {
  const kind = kindOf(node);
  if (kind === null) return node;
  const definition = definitionOf(kind);
  return definition.tool(kind) ?? definition.policyNames(kind)[0] ?? node;
}

/**
 * Adds a message's preconditions as writes that the store rejects when they do not hold. Null: the machine refused the message, so a work item that it
 * settles all the same is cancelled.
 */
export function addPreconditions(
  builder: CommitBuilder,
  preconditions: Preconditions | undefined,
  stepped: Pick<StepResult, 'run' | 'events'> | null,
): void {
  if (preconditions?.fire !== undefined) builder.timers.push({ op: 'fire', ...preconditions.fire });
  if (preconditions?.settle !== undefined) {
    const status = stepped === null ? 'cancelled' : settledBy(stepped.events);
    builder.work.push({ op: 'settle', ...preconditions.settle, status });
  }
  if (preconditions?.hold !== undefined && stepped !== null) {
    const { id, fence, node } = preconditions.hold;
    const isRunning = activeVisitOf(stepped.run, node)?.phase === 'running';
    builder.work.push(isRunning ? { op: 'hold', id, fence } : { op: 'settle', id, fence, status: settledBy(stepped.events) });
  }
}

/** Adds what a turn appends to a thread, unless its result was not taken. */
export function addThreadTurn(builder: CommitBuilder, { node, activation, thread }: Done, events: readonly LogEvent[]): void {
  const append = thread?.append;
  if (append === undefined || !events.some(({ type, data }) => type === 'node_completed' && data.thread !== undefined)) return;
  const { id, first } = thread as NonNullable<typeof thread>;
  const read = append.number === null ? null : { number: append.number, last: first - 1 };
  builder.threads.push({ id, read, nodeId: node, activation, messages: append.messages });
}

function settledBy(events: readonly LogEvent[]): 'completed' | 'failed' | 'dead_lettered' {
  // Of a node with items, the end of this one comes first.
  const end = events.find(({ type }) => type === 'node_completed' || type === 'node_failed');
  if (end?.type !== 'node_failed') return 'completed';
  return end.data.retryable === false ? 'dead_lettered' : 'failed';
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
