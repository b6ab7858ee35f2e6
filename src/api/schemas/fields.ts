import { type TSchema, Type } from 'typebox';
import type { Json, JsonObject } from '../../../machines/json.ts';

/** May be missing or null, which mean the same. */
export function optional<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

export const AnyJson = Type.Unsafe<Json>({});
export const AnyObject = Type.Unsafe<JsonObject>({ type: 'object' });

/** What a path names. */
export const ById = Type.Object({ id: Type.String() });

/** Names of things: node ids, worker ids, users. */
export const Name = Type.String({ minLength: 1, maxLength: 256 });

/** Like Name, but empty counts as absent, as some clients send it. */
export const NameOrEmpty = Type.String({ maxLength: 256 });

/** RFC 3339 in UTC with milliseconds. */
export const Timestamp = Type.String({ format: 'date-time' });
export type Timestamp = string;

export const Labels = Type.Record(Type.String(), Type.String({ maxLength: 1024 }), { maxProperties: 64 });

/** Keys are found again as `label=key:value`, so that they have no colon. */
export const ExecutionLabels = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { type: 'string', minLength: 1, maxLength: 256, pattern: '^[^:]*$' },
  additionalProperties: { type: 'string', maxLength: 1024 },
  maxProperties: 64,
});

/** A larger `limit` is cut down to the route's maximum; the reply says what was applied. */
export const Limit = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Milliseconds a long poll may take; a longer one is cut down. */
export const WaitMs = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** An optional field under another name: left out when it is missing or null. */
export function defined<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
