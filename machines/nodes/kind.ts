import { type TSchema, Type } from 'typebox';
import { type Fields, optional } from '../ir/reading/fields.ts';
import type { Json, JsonObject } from '../json.ts';

/** Queues external workers can claim from. */
export type Queue = 'model' | 'tool' | 'python_tool' | 'java_tool' | 'retrieval' | 'privileged' | 'general';

/** Keys that any kind which does something may carry. Targets are node ids or `end`. */
export interface CommonFields {
  /** State key that receives the output. */
  readonly output_key?: string;
  /** Where a failure for good leads; the failure is handled then. */
  readonly fallback_node?: string;
}

/**
 * How the machine treats a node:
 * - `work`: something outside the step does it (in process or a worker): busy, may fail, is retried;
 * - `control`: finishes inside the step that reaches it;
 * - `approval`, `wait`: parked until a message or a timer;
 * - `child`: a child execution does it.
 */
export type Behaviour = 'work' | 'control' | 'approval' | 'wait' | 'child';

/** Everything the runtime knows of one node kind; `machines/nodes/<type>.ts` exports one. */
export interface KindDefinition<K extends { readonly type: string }> {
  readonly type: K['type'];
  /** The kind in normal form. */
  readonly schema: TSchema;
  /**
   * From any accepted spelling to the normal form. `fields` are those of the author's kind object with the node's own
   * extension keys merged in (`on_rejected` beside `kind` counts as inside it); problems are noted there.
   */
  normalise(fields: Fields): K;
  behaviour(kind: K): Behaviour;
  /** Where external workers find it; null = never handed out. */
  queue(kind: K): Queue | null;
  /** The names that policy globs match, most exact first. */
  policyNames(kind: K): readonly string[];
  /** The tool whose call is logged as `tool_call_completed`, or null. */
  tool(kind: K): string | null;
  /** What the node names beside edges: route name → targets. `branch` targets are ordered as written. */
  targets(kind: K): readonly { readonly role: string; readonly to: string }[];
  /** The mapping values an attempt renders into its input; null = the whole state is the input. */
  mapping(kind: K): Json | null;
  /** Kind-specific fields of the work payload, beside those every payload has. `input` is rendered. */
  payload(kind: K, input: Json): JsonObject;
  /** Does an object result become the state patch (code nodes), or is it stored under the node's id? */
  readonly objectResultIsPatch: boolean;
}

/** Schema properties of `Common`. */
export const COMMON_PROPERTIES = {
  output_key: Type.Optional(Type.String()),
  fallback_node: Type.Optional(Type.String()),
};

export function readCommonFields(fields: Fields): CommonFields {
  return {
    ...optional('output_key', fields.stateKey('output_key')),
    ...optional('fallback_node', fields.name('fallback_node', 'fallback')),
  };
}

/** Values and templates rendered into an attempt's input: an object, or one template that gives the whole value. */
export const Mapping = Type.Unsafe<JsonObject | string>({ type: ['object', 'string'] });

/** A mapping without entries means the whole state. */
export function mappingUnlessEmpty(mapping: JsonObject | string): Json | null {
  return typeof mapping === 'string' || Object.keys(mapping).length > 0 ? mapping : null;
}

/** The routes among `kind`'s keys that the author named, in the order of `roles`. */
export function namedTargets<R extends string>(
  kind: { readonly [P in R]?: string },
  ...roles: readonly R[]
): { role: R; to: string }[] {
  return roles.flatMap((role) => {
    const to = kind[role];
    return to === undefined ? [] : [{ role, to }];
  });
}
