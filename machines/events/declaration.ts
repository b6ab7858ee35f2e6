import type { TObject, TProperties, TSchema } from 'typebox';
import type { Json } from '../json.ts';
import { Type } from '../type.ts';

/** The default is the actor of the entry. */
export const ACTOR = Symbol('actor');

/** The value of a field for which an entry stores nothing; undefined = the field is absent then. */
export type Default = Json | typeof ACTOR | undefined;

/** A field with a default in stored entries; without a schema, it is for the runtime alone. */
export interface WithDefault<Schema extends TSchema | null> {
  readonly schema: Schema;
  readonly byDefault: Default;
}

type Field = TSchema | WithDefault<TSchema | null>;
type Fields = Readonly<Record<string, Field>>;

type SchemaOf<F> = Extract<F extends WithDefault<infer Schema> ? Schema : F, TSchema>;
type Schemas<F extends Fields> = { [Key in keyof F as SchemaOf<F[Key]> extends never ? never : Key]: SchemaOf<F[Key]> };

/**
 * What a type of event is. Stored logs depend on it: a released type may get a new field, which is absent by default and comes last in `fields` and in
 * `stored`. Otherwise its letter, its fields, their orders and their defaults never change.
 */
interface Declaration<F extends Fields> {
  /** Stands for the type in stored logs. */
  readonly letter: string;
  readonly description: string;
  /** In the order in which events have them. */
  readonly fields: F;
  /** In the order in which an entry stores them: those that are seldom left out come first. Absent = as in `fields`. */
  readonly stored?: readonly (keyof F & string)[];
}

/** A declared type of event. */
export interface EventDefinition<Schema extends TObject = TObject> {
  readonly letter: string;
  /** It concerns the whole execution, so its events have no node. */
  readonly ofExecution: boolean;
  /** What its events say, for readers. */
  readonly data: Schema;
  /** In the order in which events have them, with their defaults. */
  readonly fields: ReadonlyMap<string, Default>;
  /** The same fields in the order in which an entry stores them. */
  readonly stored: readonly string[];
}

const nodeId = { node_id: Type.String({ description: 'Id of the node.' }) };
const NO_NODE = {};

/** An event of the whole execution. */
export const ofExecution = <F extends Fields>(declaration: Declaration<F>) => defined(declaration, NO_NODE);

/** An event at a node, mostly during one of its visits. */
export const atNode = <F extends Fields>(declaration: Declaration<F>) => defined(declaration, nodeId);

/** The field is left out of a stored entry if it has this value. */
export function byDefault<Schema extends TSchema>(value: Json | typeof ACTOR, schema: Schema): WithDefault<Schema> {
  return { schema, byDefault: value };
}

/** The field is for the runtime alone. */
export function internal(value?: Json): WithDefault<null> {
  return { schema: null, byDefault: value };
}

function defined<Node extends TProperties, F extends Fields>(
  { letter, description, fields, stored = Object.keys(fields) }: Declaration<F>,
  node: Node,
): EventDefinition<TObject<Node & Schemas<F>>> {
  const all = Object.entries(fields).map(([name, field]) => ({
    name,
    ...(hasDefault(field) ? field : { schema: field, byDefault: undefined }),
  }));
  const { activation, ...others } = Object.fromEntries(
    all.flatMap(({ name, schema }) => (schema === null ? [] : [[name, schema]])),
  );
  const properties = { ...node, ...(activation === undefined ? {} : { activation }), ...others } as Node & Schemas<F>;
  return {
    letter,
    ofExecution: node === NO_NODE,
    data: Type.Object(properties, { description }),
    fields: new Map(all.map(({ name, byDefault: value }) => [name, value])),
    stored,
  };
}

function hasDefault(field: Field): field is WithDefault<TSchema | null> {
  return 'byDefault' in field;
}
