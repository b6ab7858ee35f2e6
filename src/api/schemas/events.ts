import { type Static, type TObject, Type } from 'typebox';
import {
  EVENT_TYPES,
  EVENTS,
  type EventData,
  type EventType,
  type PascalCase,
  pascalCase,
} from '../../../machines/events/index.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { anyJson, anyObject, count, flag, integer, listOf, name, nullable, optional, text, timestamp, waitMs } from './fields.ts';
import { warningsOfReply } from './warnings.ts';

const kinds = (description: string) => {
  const list = Type.String({ minLength: 1, maxLength: 2048 });
  return Type.Optional(Type.Union([list, Type.Array(list, { maxItems: 64 })], { description }));
};
const kind = kinds(
  'Only these kinds of event, in PascalCase or snake_case, separated by commas. The parameter may be given several times.',
);
const type = kinds('The same as `kind`.');
const format = Type.Optional(
  Type.Enum(['seed', 'tagged'] as const, {
    description:
      'How `kind` is written: `seed`, a name in PascalCase; `tagged`, an object with its `type`. Default: as the header `X-JamJet-Events`, `Accept`, the path or the server says.',
  }),
);

export const EventsQuery = Type.Object({
  after: Type.Optional(count('Only events with a higher sequence. Default 0.')),
  limit: Type.Optional(
    integer('Maximum number of events to return. Default: all.', { minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  ),
  kind,
  type,
  node_id: Type.Optional(name('Only events of this node.')),
  format,
  wait_ms: Type.Optional(
    waitMs('If there is no event after `after` yet, wait for one, at most this many milliseconds. At most 60000.'),
  ),
  follow: Type.Optional(
    flag('Stream the log as server-sent events until the execution ends. Default: true if `Accept` prefers `text/event-stream`.'),
  ),
});
/** Which events are listed. */
export type EventsQuery = Static<typeof EventsQuery>;

export const EventStreamQuery = Type.Object({
  kind,
  type,
  workflow_id: Type.Optional(name('Only events of executions of this workflow.')),
  after: Type.Optional(
    text('Only events after this one: the `id` it had in this stream. Default: from now on. `Last-Event-ID` takes precedence.', {
      minLength: 1,
      maxLength: 256,
    }),
  ),
  brief: Type.Optional(
    flag('true: events without `data`, `id` and actor, for clients that only need to know which executions have changed.'),
  ),
  format,
});
/** Which events a stream has. */
export type EventStreamQuery = Static<typeof EventStreamQuery>;

/** An event in a brief stream. */
export interface EventOutline {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly sequence: number;
  readonly kind: string;
  readonly type: EventType;
  readonly node_id: string | null;
  readonly created_at: string;
}

const common = {
  id: text('UUID of the event, the same whenever it is read.'),
  execution_id: text('Execution to which the event belongs.'),
  sequence: integer('Position in the log: 1, 2, 3 … without gaps.'),
  node_id: nullable(Type.String(), 'Node of the event; null if it concerns none.'),
  created_at: timestamp('When it happened.'),
  actor_id: text('Who caused it: the name of a token, or the id of a runtime.'),
  on_behalf_of: Type.Optional(text('For whom the actor acted, as it said; absent = for itself.')),
  redacted: Type.Optional(flag('True if personal data was replaced, as the data policy says; absent otherwise.')),
};

const CommonFields = Type.Object(common);
/** An event of an execution's log, by its type. */
export type Event = {
  [Type in EventType]: Static<typeof CommonFields> & {
    readonly kind: PascalCase<Type>;
    readonly type: Type;
    readonly data: EventData<Type>;
  };
}[EventType];

/** One schema per event type, in the form of the reference, where `kind` is a name: `NodeCompletedEvent`. */
const NAMED = schemasOf(
  (name) => `${name}Event`,
  (type, data) =>
    Type.Object(
      {
        ...common,
        kind: Type.Literal(pascalCase(type), { description: 'Kind of the event.' }),
        type: Type.Literal(type, { description: '`kind` in snake_case.' }),
        data: Type.Object(data.properties, { description: 'Fields of the event.' }),
      },
      { description: descriptionOf(data) },
    ),
);

/** `kind` of an event in the tagged form, with its type and its fields in one object: `TaggedNodeCompleted`. */
const KINDS = schemasOf(
  (name) => `Tagged${name}`,
  (type, data) =>
    Type.Object(
      { type: Type.Literal(type, { description: 'Kind of the event, in snake_case.' }), ...data.properties },
      { description: descriptionOf(data) },
    ),
);

/** Components of the OpenAPI document: one for each event type and form. */
export const EVENT_COMPONENTS: Readonly<Record<string, TObject>> = { ...NAMED, ...KINDS };

function schemasOf(
  nameOf: (kind: string) => string,
  schemaOf: (type: string, data: TObject) => TObject,
): Readonly<Record<string, TObject>> {
  return Object.fromEntries(EVENT_TYPES.map((type) => [nameOf(pascalCase(type)), schemaOf(type, EVENTS[type].data)]));
}

function descriptionOf(schema: object): string {
  return 'description' in schema ? String(schema.description) : '';
}

/** A union whose members are told apart by `type`. */
function unionOf(schemas: Readonly<Record<string, TObject>>, description: string) {
  const mapping = EVENT_TYPES.map((type, i) => [type, `#/components/schemas/${Object.keys(schemas)[i]}`]);
  return {
    oneOf: Object.values(schemas),
    discriminator: { propertyName: 'type', mapping: Object.fromEntries(mapping) as Record<string, string> },
    description,
  };
}

export const Event = Type.Unsafe<Event>(
  unionOf(NAMED, 'An event of the log of an execution. `type` says which; `data` has its fields.'),
);

export const EventKind = Type.Unsafe<JsonObject>(unionOf(KINDS, 'Type and fields of an event in the tagged form.'));

export const TaggedEvent = Type.Object(
  {
    ...common,
    kind: EventKind,
    kind_name: text('Kind of the event, in PascalCase.'),
    event_id: Type.Optional(text('Only under `/api/v1`: the same as `id`.')),
    event_type: Type.Optional(text('Only under `/api/v1`: the same as `kind.type`.')),
    payload: Type.Optional(anyObject('Only under `/api/v1`: the other fields of `kind`.')),
    timestamp: Type.Optional(timestamp('Only under `/api/v1`: the same as `created_at`.')),
  },
  { description: 'An event in the tagged form, which the SDKs of JamJet read: `kind` is an object with its `type`.' },
);
export type TaggedEvent = Static<typeof TaggedEvent>;

export const EventList = Type.Object({ events: listOf(Event, 'Oldest first.') }, { description: 'Events of an execution.' });
export type EventList = Static<typeof EventList>;

export const TaggedEventList = Type.Object(
  { events: listOf(TaggedEvent, 'Oldest first.') },
  { description: 'Events of an execution, in the tagged form.' },
);

/** Media type of the tagged form, for clients that ask for it by `Accept`. */
export const TAGGED_JSON = 'application/vnd.jamjet.tagged+json';

export const SendEvent = Type.Object(
  {
    correlation_key: text('Key by which a node waits for the event.', { minLength: 1, maxLength: 1024 }),
    payload: anyJson('Payload of the event; becomes the output of the node.'),
    event_id: optional(Type.String({ maxLength: 255 }), 'Idempotency key. The header `Idempotency-Key` takes precedence.'),
  },
  { description: 'An event from outside.' },
);
export type SendEvent = Static<typeof SendEvent>;

export const AcceptedEvent = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    accepted: Type.Literal(true, { description: 'The event was recorded.' }),
    matched: flag('Whether a node was waiting for the event.'),
    buffered: flag('Whether the event is kept for a node that will wait for it.'),
    node_id: nullable(Type.String(), 'Node that received the event; null if none was waiting.'),
    warnings: warningsOfReply,
  },
  { description: 'An external event was recorded.' },
);
export type AcceptedEvent = Static<typeof AcceptedEvent>;
