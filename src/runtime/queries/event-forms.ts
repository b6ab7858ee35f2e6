import { hash } from 'node:crypto';
import { pascalCase } from '../../../machines/events/index.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { EventView } from '../types/executions.ts';

interface Common {
  /** UUID. */
  readonly id: string;
  readonly execution_id: string;
  readonly sequence: number;
  readonly node_id: string | null;
  /** RFC 3339. */
  readonly created_at: string;
  /** The name of a token, the id of a runtime, or a job such as `cron:nightly`. */
  readonly actor_id: string;
  /** On whose behalf the actor said to act; absent: its own. */
  readonly on_behalf_of?: string;
  /** Present: personal data was replaced. */
  readonly redacted?: true;
}

/** The form of the API reference: `kind` is the event kind in PascalCase, `type` the same in snake_case. */
export interface NamedKindForm extends Common {
  readonly kind: string;
  readonly type: string;
  readonly data: JsonObject;
}

/** The other form: `kind` is an object with the discriminator `type`. */
export interface TaggedKindForm extends Common {
  readonly kind: JsonObject;
  readonly kind_name: string;
}

/** The tagged form with the additional fields that Java clients read. */
export interface JavaForm extends TaggedKindForm {
  readonly event_id: string;
  readonly event_type: string;
  readonly payload: JsonObject;
  readonly timestamp: string;
}

export function namedKindForm(event: EventView): NamedKindForm {
  return {
    id: eventId(event.executionId, event.sequence),
    execution_id: event.executionId,
    sequence: event.sequence,
    kind: pascalCase(event.type),
    node_id: event.nodeId,
    created_at: new Date(event.createdAtMs).toISOString(),
    ...actorOf(event),
    ...(event.redacted ? { redacted: true } : {}),
    type: event.type,
    data: fieldsOf(event),
  };
}

export function taggedKindForm(event: EventView): TaggedKindForm {
  return {
    id: eventId(event.executionId, event.sequence),
    execution_id: event.executionId,
    sequence: event.sequence,
    kind: { type: event.type, ...fieldsOf(event) },
    kind_name: pascalCase(event.type),
    node_id: event.nodeId,
    created_at: new Date(event.createdAtMs).toISOString(),
    ...actorOf(event),
    ...(event.redacted ? { redacted: true } : {}),
  };
}

export function javaForm(event: EventView): JavaForm {
  const tagged = taggedKindForm(event);
  return Object.assign(tagged, {
    event_id: tagged.id,
    event_type: event.type,
    payload: fieldsOf(event),
    timestamp: tagged.created_at,
  });
}

function actorOf({ actorId, onBehalfOf }: EventView): Pick<Common, 'actor_id' | 'on_behalf_of'> {
  return { actor_id: actorId, ...(onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf }) };
}

/** A UUID (version 8) derived from execution and sequence, so the same one whenever the event is shown. */
export function eventId(execution: string, sequence: number): string {
  const hex = hash('sha256', `${execution}:${sequence}`, 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The fields of an event, including its node. */
function fieldsOf(event: EventView): JsonObject {
  return event.nodeId === null ? event.data : { node_id: event.nodeId, ...event.data };
}
