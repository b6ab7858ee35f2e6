import { type Static, Type } from 'typebox';
import { AnyJson, AnyObject, Limit, Name, Offset, optional, Timestamp, WaitMs } from './fields.ts';

/** Kinds of events, in snake_case or PascalCase: one, several with commas between, or the parameter several times. */
const KindList = Type.String({ minLength: 1, maxLength: 2048 });
const Kinds = Type.Union([KindList, Type.Array(KindList, { maxItems: 64 })]);

export const EventsQuery = Type.Object({
  /** Only events with a higher sequence. */
  after: Type.Optional(Offset),
  /** Absent = the whole log. */
  limit: Type.Optional(Limit),
  kind: Type.Optional(Kinds),
  /** The same as `kind`. */
  type: Type.Optional(Kinds),
  node_id: Type.Optional(Name),
  format: Type.Optional(Type.Enum(['seed', 'tagged'] as const)),
  /** When there is nothing after `after` yet: wait for the next event, at most this long. */
  wait_ms: Type.Optional(WaitMs),
  /** Server-sent events: the log, then what happens until the execution ends. Absent = as `Accept` says. */
  follow: Type.Optional(Type.Boolean()),
});
export type EventsQuery = Static<typeof EventsQuery>;

export const EventStreamQuery = Type.Object({
  kind: Type.Optional(Kinds),
  /** The same as `kind`. */
  type: Type.Optional(Kinds),
  /** Only events of executions of this workflow. */
  workflow_id: Type.Optional(Name),
  /** The `id` of an event of this stream: only what came later. Absent = from now on. The header `Last-Event-ID` wins. */
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  format: Type.Optional(Type.Enum(['seed', 'tagged'] as const)),
});
export type EventStreamQuery = Static<typeof EventStreamQuery>;

/** An event as the reference writes it: `kind` is a PascalCase name. */
export const Event = Type.Object({
  id: Type.String(),
  execution_id: Type.String(),
  /** 1, 2, 3 … without gaps. */
  sequence: Type.Integer(),
  kind: Type.String(),
  node_id: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
  /** Who caused it. */
  actor_id: Type.String(),
  /** For whom the actor said that it acted; absent = for itself. */
  on_behalf_of: Type.Optional(Type.String()),
  /** `kind` in snake_case. */
  type: Type.String(),
  /** The fields of this kind of event. */
  data: AnyObject,
});
export type Event = Static<typeof Event>;

/** The other form, which JamJet's SDKs read: `kind` is an object that `type` tells apart. */
export const TaggedEvent = Type.Object({
  id: Type.String(),
  execution_id: Type.String(),
  sequence: Type.Integer(),
  kind: AnyObject,
  kind_name: Type.String(),
  node_id: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
  actor_id: Type.String(),
  on_behalf_of: Type.Optional(Type.String()),
  /** Under `/api/v1` also as the models of Java clients name them: `id`, `kind.type`, the other fields of `kind`, `created_at`. */
  event_id: Type.Optional(Type.String()),
  event_type: Type.Optional(Type.String()),
  payload: Type.Optional(AnyObject),
  timestamp: Type.Optional(Timestamp),
});
export type TaggedEvent = Static<typeof TaggedEvent>;

export const EventList = Type.Object({ events: Type.Array(Event) });
export type EventList = Static<typeof EventList>;

export const TaggedEventList = Type.Object({ events: Type.Array(TaggedEvent) });

/** The media type of the tagged form, for clients that ask for it by `Accept`. */
export const TAGGED_JSON = 'application/vnd.jamjet.tagged+json';

export const SendEvent = Type.Object({
  correlation_key: Type.String({ minLength: 1, maxLength: 1024 }),
  payload: AnyJson,
  /** The same as the header `Idempotency-Key`, which wins. */
  event_id: optional(Type.String({ maxLength: 255 })),
});
export type SendEvent = Static<typeof SendEvent>;

export const AcceptedEvent = Type.Object({
  execution_id: Type.String(),
  accepted: Type.Literal(true),
  /** A node waited for it. */
  matched: Type.Boolean(),
  /** Kept for a wait that is not reached yet. */
  buffered: Type.Boolean(),
  /** The node it woke. */
  node_id: Type.Union([Type.String(), Type.Null()]),
});
export type AcceptedEvent = Static<typeof AcceptedEvent>;
