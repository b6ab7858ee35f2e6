import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Snapshot } from '../../client/index.ts';
import { isTerminal } from '../terminal/status.ts';

/** Of @statelyai/inspect: what it would send over a WebSocket is what is sent here. */
const VERSION = '0.7.2';

/** An execution as viewers know it. */
export interface Actor {
  /** The execution's id. */
  readonly sessionId: string;
  /** Of the execution that is inspected. */
  readonly rootId: string;
  /** Of the execution that started it; null = it is the one that is inspected. */
  readonly parentId: string | null;
  readonly name: string;
  /** The config of its machine, as JSON text. */
  readonly definition: string;
}

interface MessageHeader {
  readonly sessionId: string;
  readonly rootId: string;
  /** Milliseconds since 1970, as text: when the step was taken. */
  readonly createdAt: string;
  readonly id: null;
  readonly _version: string;
}

export interface InspectedSnapshot {
  /** A machine in a final state is done, also in that of a failure. */
  readonly status: 'active' | 'done';
  readonly value: Json;
  readonly context: JsonObject;
  readonly output?: JsonObject;
}

export interface ActorMessage extends MessageHeader {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly definition: string;
  readonly parentId?: string;
  readonly snapshot: InspectedSnapshot;
}

export interface EventMessage extends MessageHeader {
  readonly type: '@xstate.event';
  readonly event: JsonObject;
  /** The actor it came from; absent = from outside. */
  readonly sourceId?: string;
}

export interface SnapshotMessage extends MessageHeader {
  readonly type: '@xstate.snapshot';
  readonly event: JsonObject;
  readonly snapshot: InspectedSnapshot;
}

export type InspectionMessage = ActorMessage | EventMessage | SnapshotMessage;

/** What one step has to tell: the events in their order, then what came of them. */
export function stepMessages(actor: Actor, step: Snapshot): readonly InspectionMessage[] {
  const header = messageHeader(actor, step);
  const events = step.events.map((event): EventMessage => {
    const sourceId = sourceOf(actor, event);
    return { type: '@xstate.event', ...header, event, ...(sourceId === null ? {} : { sourceId }) };
  });
  const event = step.events.at(-1) ?? {};
  return [...events, { type: '@xstate.snapshot', ...header, event, snapshot: snapshotOf(step) }];
}

/** Introduces an actor, before anything else is said of it. */
export function actorMessage(actor: Actor, first: Snapshot): ActorMessage {
  const { name, definition, parentId } = actor;
  return {
    type: '@xstate.actor',
    ...messageHeader(actor, first),
    name,
    definition,
    ...(parentId === null ? {} : { parentId }),
    snapshot: snapshotOf(first),
  };
}

/** The executions that were started in a step, and by which node. */
export function childrenStarted({ events }: Snapshot): readonly { readonly id: string; readonly node: string }[] {
  return events.flatMap(({ type, node, childId, change }) =>
    type === 'child' && isObject(change) && change.status === 'started' ? [{ id: String(childId), node: String(node) }] : [],
  );
}

function messageHeader({ sessionId, rootId }: Actor, { created_at }: Snapshot): MessageHeader {
  return { sessionId, rootId, createdAt: String(Date.parse(created_at)), id: null, _version: VERSION };
}

function snapshotOf({ status, value, context }: Snapshot): InspectedSnapshot {
  return {
    status: isTerminal(status) ? 'done' : 'active',
    value,
    context: context as JsonObject,
    ...(status === 'completed' ? { output: context.state } : {}),
  };
}

/** A child hears its first event from its parent, and a parent what became of its child from that. */
function sourceOf({ parentId }: Actor, { type, childId }: JsonObject): string | null {
  if (type === 'xstate.init') return parentId;
  return typeof childId === 'string' ? childId : null;
}
