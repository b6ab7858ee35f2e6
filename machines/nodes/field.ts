import type { TSchema } from 'typebox';
import type { Fields } from '../reading/fields.ts';

/**
 * What a field holds in a workflow file:
 * - `text`, `json`: as it is written;
 * - `values`: a value with keys of the author's own; `schema`: a JSON Schema; `tools`: those of an agent;
 * - `target`: a node id, or an end;
 * - `duration`: a duration, whose spellings may have a unit in their name (`timeout_hours`);
 * - `choices`: a list of routes with conditions, and `default` for the last;
 * - `starts`: a list of nodes that are started together;
 * - `sources`: a list of nodes to wait for;
 * - `work`: a kind, with its keys.
 */
export type Holds =
  | 'text'
  | 'json'
  | 'values'
  | 'schema'
  | 'tools'
  | 'target'
  | 'duration'
  | 'choices'
  | 'starts'
  | 'sources'
  | 'work';

/** Names that a workflow declares: the types of the builder know them. */
export type NameKind = 'node' | 'target' | 'stateKey' | 'event' | 'policy' | 'mcpServer' | 'tool' | 'workflow' | 'function';

// Marks in the types of what authors write. The builder has types of its own for them.
/** One of the names of a kind. */
export interface Named<K extends NameKind> {
  readonly '~name': K;
}
/** An object of declared fields. */
export interface Nested<F extends FieldTable> {
  readonly '~fields': F;
}
/** Values and templates, by keys of the author's own. */
export interface MappingMark {
  readonly '~mapping': true;
}
/** A JSON Schema, or a schema of a library. */
export interface SchemaMark {
  readonly '~schema': true;
}
/** The work of one item of a list, of any kind that does such work. */
export interface WorkMark {
  readonly '~work': true;
}
/** Any JSON value of the author's own. */
export interface ValueMark {
  readonly '~value': true;
}

/** Settings of the workflow that a kind takes its defaults from. */
export interface KindDefaults {
  readonly approvalTimeoutSecs: number | undefined;
}

export interface FieldOptions<Value = unknown> {
  /** Whether it must be given; `document`: a workflow file may leave it out. Default: it may be absent. */
  readonly required?: true | 'document';
  /** What counts if it is absent. The normal form always has it then. */
  readonly default?: Value | ((fields: Fields) => Value);
  /** What counts if it is absent, if anything does. */
  readonly otherwise?: (fields: Fields, defaults: KindDefaults) => Value | undefined;
  /** Other spellings, the usual one first; the key itself comes last, unless it is among them. */
  readonly spellings?: readonly string[];
  /** Whether it is worth a warning on a kind that does not have it; or the spellings that are. Default: no. */
  readonly distinctive?: true | readonly string[];
  /** Whether each attempt gets it with its templates rendered. Default: no. */
  readonly rendered?: true;
  /** The names that it may be, for the types of the builder. */
  readonly names?: NameKind;
  /** What else a workflow file may say in the place of a name. */
  readonly words?: readonly string[];
  /** Whether it is in documents, in workflow files and in the normal form alike (default), or not in all of them. */
  readonly only?: 'document' | 'file' | 'document and file' | 'normal form';
  /** Of a number. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of a list of names. Default: `json`. */
  readonly holds?: Holds;
  /** Whether a list has no name twice. Default: no. */
  readonly distinct?: true;
  /** A key of the node whose value counts in a workflow file if none of the spellings is there. */
  readonly ofNode?: string;
  /** Another field that says the same thing: in a workflow file, one of the two may be given, and becomes the other one. */
  readonly sameAs?: string;
  /** Of a duration: the field that a template in its place belongs to. Default: it cannot be a template. */
  readonly template?: string;
}

/** `Value`: in the normal form. `Written`: as authors write it. */
export interface Field<Value = unknown, Written = unknown, O = FieldOptions> {
  /** In the normal form. */
  readonly schema: TSchema;
  /** As documents may write it. */
  readonly document: TSchema;
  readonly holds: Holds;
  readonly isTarget: boolean;
  readonly read: (fields: Fields, key: string, defaults: KindDefaults) => Value | undefined;
  readonly options: O;
  /** Only for types. */
  readonly '~written'?: Written;
}

export type FieldTable = Readonly<Record<string, Field>>;

type Always = { readonly required: true | 'document' } | { readonly default: unknown };
type NormalKey<F extends FieldTable, K extends keyof F> = F[K]['options'] extends {
  readonly only: 'document' | 'file' | 'document and file';
}
  ? never
  : K;
type ValueOf<F> = F extends Field<infer Value> ? Value : never;

/** The fields in normal form. */
export type NormalForm<F extends FieldTable> = {
  [K in keyof F as F[K]['options'] extends Always ? NormalKey<F, K> : never]: ValueOf<F[K]>;
} & {
  [K in keyof F as F[K]['options'] extends Always ? never : NormalKey<F, K>]?: ValueOf<F[K]>;
} extends infer Flat
  ? { [K in keyof Flat]: Flat[K] }
  : never;

/** Objects with declared fields, by the `type` that tells them apart. */
export type VariantTable = Readonly<Record<string, { readonly description: string; readonly fields: FieldTable }>>;

/** Marks a list of such objects in the types of what authors write. */
export interface VariantsMark<V extends VariantTable> {
  readonly '~variants': V;
}
