import { type Static, type TNumberOptions, type TSchema, type TStringOptions, Type } from 'typebox';
import type { Json, JsonObject } from '../../../machines/json.ts';

// Builders whose description is required: it says what the field holds, in which unit, and what null or absence means.

export const text = (description: string, options: TStringOptions = {}) => Type.String({ ...options, description });
export const integer = (description: string, options: TNumberOptions = {}) => Type.Integer({ ...options, description });
export const number = (description: string, options: TNumberOptions = {}) => Type.Number({ ...options, description });
export const flag = (description: string) => Type.Boolean({ description });
export const listOf = <T extends TSchema>(items: T, description: string) => Type.Array(items, { description });

/** RFC 3339 in UTC with milliseconds. */
export const timestamp = (description: string) => text(description, { format: 'date-time' });

/** Null or absent, which mean the same. */
export function optional<T extends TSchema>(schema: T, description: string) {
  return Type.Optional(nullable(schema, description));
}

export function nullable<T extends TSchema>(schema: T, description: string) {
  return Type.Union([schema, Type.Null()], { description });
}

/** The schema with the description of one of its uses. */
export function described<T extends TSchema>(schema: T, description: string) {
  return Type.Unsafe<Static<T>>({ ...schema, description });
}

export const anyJson = (description: string) => Type.Unsafe<Json>({ description });
export const anyObject = (description: string) => Type.Unsafe<JsonObject>({ type: 'object', description });

/** The path parameter `id`. */
export const byId = (description: string) => Type.Object({ id: text(description) });

/** Names of things: node ids, worker ids, users. */
export const name = (description: string) => text(description, { minLength: 1, maxLength: 256 });

/** Like `name`, but empty counts as absent, as some clients send it. */
export const nameOrEmpty = (description: string) => text(description, { maxLength: 256 });

export const Labels = Type.Record(Type.String(), Type.String({ maxLength: 1024 }), { maxProperties: 64 });

/** Labels are searched for as `label=key:value`, so their keys must not contain a colon. */
export const ExecutionLabels = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { type: 'string', minLength: 1, maxLength: 256, pattern: '^[^:]*$' },
  additionalProperties: { type: 'string', maxLength: 1024 },
  maxProperties: 64,
});

const WHOLE = { maximum: Number.MAX_SAFE_INTEGER };

/** The page sizes of a list. */
export interface PageSizes {
  readonly defaultLimit: number;
  readonly maxLimit: number;
}

/** The query parameter `limit`. */
export const limit = ({ defaultLimit, maxLimit }: PageSizes) =>
  Type.Optional(
    integer(`Maximum number of items to return: ${defaultLimit} if absent. More than ${maxLimit} is reduced to ${maxLimit}.`, {
      minimum: 1,
      ...WHOLE,
    }),
  );

export function limitOf(requested: number | undefined, { defaultLimit, maxLimit }: PageSizes): number {
  return Math.min(requested ?? defaultLimit, maxLimit);
}

export const offset = Type.Optional(integer('Number of items to skip. Default 0.', { minimum: 0, ...WHOLE }));

/** The applied page in a reply. */
export const appliedLimit = integer('The page size that was applied.');
export const appliedOffset = integer('The number of items that were skipped.');

export const waitMs = (description: string) => integer(description, { minimum: 0, ...WHOLE });
export const count = (description: string) => integer(description, { minimum: 0, ...WHOLE });
export const sequence = (description: string) => integer(description, { minimum: 1, ...WHOLE });

/** An optional field under another name: left out when it is missing or null. */
export function defined<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
