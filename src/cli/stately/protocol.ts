import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Snapshot } from '../../client/index.ts';
import { isTerminal } from '../terminal/status.ts';

/** Version of @statelyai/inspect whose WebSocket messages are produced here. */
const VERSION = '0.7.2';

/** An execution as an actor of the inspector. */
export interface Actor {
  /** Id of the execution. */
  readonly sessionId: string;
  /** Id of the inspected execution. */
  readonly rootId: string;
  /** Id of the parent execution; null for the inspected execution. */
  readonly parentId: string | null;
  readonly name: string;
  /** Machine config as JSON text. */
  readonly definition: string;
}

interface MessageHeader {
  readonly sessionId: string;
  readonly rootId: string;
  /** Time of the step: milliseconds since the epoch, as text. */
  readonly createdAt: string;
  readonly id: null;
  readonly _version: string;
}

export interface InspectedSnapshot {
  /** `done` in any final state, that of a failure included. */
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
  /** The sending actor; absent for external events. */
  readonly sourceId?: string;
}

export interface SnapshotMessage extends MessageHeader {
  readonly type: '@xstate.snapshot';
  readonly event: JsonObject;
  readonly snapshot: InspectedSnapshot;
}

export type InspectionMessage = ActorMessage | EventMessage | SnapshotMessage;

/** The messages of one step: its events in order, then the resulting snapshot. */
export function stepMessages(actor: Actor, step: Snapshot): readonly InspectionMessage[] {
  const header = messageHeader(actor, step);
  const events = step.events.map((event): EventMessage => {
    const sourceId = sourceOf(actor, event);
    return { type: '@xstate.event', ...header, event, ...(sourceId === null ? {} : { sourceId }) };
  });
  const event = step.events.at(-1) ?? {};
  return [...events, { type: '@xstate.snapshot', ...header, event, snapshot: snapshotOf(step) }];
}

/** The first message of an actor. */
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

/** The child executions started in a step, with the nodes that started them. */
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

/** The parent sends the first event of a child; a child sends the events about itself to its parent. */
function sourceOf({ parentId }: Actor, { type, childId }: JsonObject): string | null {
  if (type === 'xstate.init') return parentId;
  return typeof childId === 'string' ? childId : null;
}
