import type { Static, TSchema } from 'typebox';
import type { Access } from '../auth/identity.ts';

/** A request and its reply. The route, its validation, its entry in the OpenAPI document and the types of the client's method follow. */
export interface Operation {
  /** camelCase, unique. */
  readonly id: string;
  readonly access: Access;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** A missing body is an empty object. */
  readonly bodyMayBeMissing?: true;
  readonly reply: TSchema;
  /** Default 200. */
  readonly status?: 201 | 202;
  /** Replies with other statuses, which the handler sets. */
  readonly otherReplies?: Readonly<Record<number, TSchema>>;
  /** See `FastifyContextConfig`, like the next. */
  readonly addsStorage?: true;
  readonly isShed?: true;
  readonly acceptsYaml?: true;
  /** True, or the values of fields of the body with which it does. */
  readonly reducesLoad?: true | Readonly<Record<string, readonly string[]>>;
}

/** The operations of a resource. */
export interface Resource {
  /** Its heading in the documentation. */
  readonly tag: string;
  /** By method and path, such as `GET /cron/:name`. */
  readonly operations: Readonly<Record<string, Operation>>;
}

/** The JSON of a part of an operation; undefined if it has none. */
export type Wire<O, Part extends 'params' | 'query' | 'body' | 'reply'> =
  O extends Readonly<Record<Part, infer Schema extends TSchema>> ? Static<Schema> : undefined;
