import type { Json, JsonObject } from '../../machines/json.ts';
import type { WrittenTools } from '../../machines/nodes/agent-tools.ts';
import type {
  Field,
  FieldTable,
  MappingMark,
  Named,
  Nested,
  SchemaMark,
  ValueMark,
  VariantsMark,
  WorkMark,
} from '../../machines/nodes/field.ts';
import type { KINDS, KindName as KindOfDocument } from '../../machines/nodes/index.ts';
import type { ItemKindName } from '../../machines/nodes/map.ts';
import type { WorkflowDefinition, WorkflowTypes } from './definition.ts';
import type { AttemptKeys, Duration, Mapping, Names, NextKey, NodeKeys, PolicyLists } from './node-keys.ts';
import type { Schema } from './schema.ts';

// The types of nodes follow from the fields that their kinds declare.

type Declaration<K extends KindOfDocument> = (typeof KINDS)[K]['declaration'];
type FieldsOf<K extends KindOfDocument> = Declaration<K>['fields'];

/** `on_approved` → `onApproved` */
type Camel<Key extends string> = Key extends `${infer Word}_${infer Rest}` ? `${Word}${Capitalize<Camel<Rest>>}` : Key;

/** The names of a workflow, as fields refer to them. */
interface NamesOf<N extends Names> extends Pick<N, 'node' | 'target' | 'stateKey' | 'event' | 'policy' | 'mcpServer'> {
  readonly tool: ToolName<N>;
  /** An id, or a definition. */
  readonly workflow: string | { readonly id: string };
  /** A name, or what `durable` has defined. */
  readonly function: string | { readonly id: string };
}

/** What authors write, by what the field says of it. */
type Written<W, N extends Names> =
  W extends Named<infer Kind>
    ? NamesOf<N>[Kind]
    : W extends Nested<infer Fields>
      ? Keys<Fields, N>
      : W extends VariantsMark<infer V>
        ? readonly { [T in keyof V & string]: { readonly type: T } & Keys<V[T]['fields'], N> }[keyof V & string][]
        : W extends WrittenTools
          ? readonly (AgentToolName<ToolName<N>> | AgentToolEntry<N> | WorkflowDefinition)[]
          : W extends MappingMark
            ? Mapping
            : W extends WorkMark
              ? ItemWork<N>
              : W extends SchemaMark
                ? Schema | JsonObject
                : W extends ValueMark
                  ? Json
                  : JsonObject extends W
                    ? W
                    : W extends readonly (infer Item)[]
                      ? readonly Written<Item, N>[]
                      : W extends object
                        ? { readonly [P in keyof W as P extends string ? Camel<P> : P]: Written<W[P], N> }
                        : W;

type WrittenOf<F, N extends Names> = F extends Field<unknown, infer W, infer _> ? Written<W, N> : never;

/** The spellings of a key. */
type Spelling<Fields extends FieldTable, Key extends keyof Fields> = Camel<
  (Fields[Key]['options'] extends { readonly spellings: infer S extends readonly string[] } ? S[number] : never) | (Key & string)
>;

type RequiredKey<Fields extends FieldTable> = {
  [Key in keyof Fields]: Fields[Key]['options'] extends { readonly required: true } ? Key : never;
}[keyof Fields];
/** The spellings of a key that may be absent; none of one that must be there, or that the runtime adds. */
type OptionalSpelling<Fields extends FieldTable, Key extends keyof Fields> = Fields[Key]['options'] extends
  | { readonly required: true }
  | { readonly only: 'normal form' }
  ? never
  : Spelling<Fields, Key>;

/** A value under one of several keys. */
type UnderOneOf<Key extends string, Value> = {
  [One in Key]: { readonly [P in One]: Value } & { readonly [P in Exclude<Key, One>]?: never };
}[Key];

/** All of the keys that must be there, each in one of its spellings. */
type RequiredKeys<Fields extends FieldTable, N extends Names> = {
  [Key in RequiredKey<Fields>]: (given: UnderOneOf<Spelling<Fields, Key>, WrittenOf<Fields[Key], N>>) => void;
}[RequiredKey<Fields>] extends (given: infer All) => void
  ? All
  : never;

/** The fields as authors write them. */
type Keys<Fields extends FieldTable, N extends Names> = RequiredKeys<Fields, N> & {
  readonly [Key in keyof Fields as OptionalSpelling<Fields, Key>]?: WrittenOf<Fields[Key], N>;
};

/** Keys of the node beside those of its kind. */
type KeysBeside<K extends KindOfDocument, N extends Names> = NodeKeys &
  (Declaration<K> extends { readonly next: false } ? unknown : NextKey<N>) &
  (Declaration<K> extends { readonly attempts: false } ? unknown : AttemptKeys<N>);

type NodeOf<K extends KindOfDocument, N extends Names> = { readonly type: K } & KeysBeside<K, N> & Keys<FieldsOf<K>, N>;

/** The work of one item: a kind with its keys, without those of a node. */
type ItemWork<N extends Names> = { [K in ItemKindName]: { readonly type: K } & Keys<FieldsOf<K>, N> }[ItemKindName];

/** The work of which this has been given. That of a tool, or of a definition, is typed by what that is given. */
type ItemWorkAs<N extends Names, Given> = Given extends { readonly type: 'tool' } & { readonly [Key in ToolKey]?: infer Name }
  ? Name extends keyof N['toolInputs']
    ? { readonly type: 'tool' } & WithInput<'tool', N, N['toolInputs'][Name]>
    : ItemWork<N>
  : Given extends { readonly type: 'subgraph' }
    ? unknown extends TypesOfChild<Given>
      ? ItemWork<N>
      : { readonly type: 'subgraph' } & WithInput<'subgraph', N, InputOfChild<Given>>
    : ItemWork<N>;

/** The keys of a kind, with a typed input. */
type WithInput<K extends KindOfDocument, N extends Names, Input> = (Omit<FieldsOf<K>, 'input_mapping'> extends infer F extends
  FieldTable
  ? Keys<F, N>
  : never) & { readonly [P in InputKey]?: Mapping<Input> };

type MapAs<N extends Names, Given> = { readonly type: 'map' } & KeysBeside<'map', N> &
  (Omit<FieldsOf<'map'>, 'do'> extends infer F extends FieldTable ? Keys<F, N> : never) & {
    readonly do: Given extends { readonly do: infer Work } ? ItemWorkAs<N, Work> : ItemWork<N>;
  };

/** Spellings of the key by which a subgraph names its workflow. */
type WorkflowKey = Spelling<FieldsOf<'subgraph'>, 'workflow_ref'>;
/** What is known of the workflow that a subgraph runs; unknown = it was not given as a definition. */
export type TypesOfChild<Given> = Given[keyof Given & WorkflowKey] extends { readonly '~types'?: infer Types }
  ? [NonNullable<Types>] extends [WorkflowTypes]
    ? NonNullable<Types>
    : unknown
  : unknown;
type InputOfChild<Given> = TypesOfChild<Given> extends { readonly input: infer Input } ? Input : unknown;

type SubgraphAs<N extends Names, Given> = { readonly type: 'subgraph' } & KeysBeside<'subgraph', N> &
  WithInput<'subgraph', N, InputOfChild<Given>>;

/** Another name for the target `end`. */
interface EndNode {
  readonly type: 'end';
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Tools by their names; any name if the workflow declares none. */
type ToolName<N extends Names> = string extends keyof N['toolInputs'] ? string : keyof N['toolInputs'] & string;

/** A tool of the workflow, of an MCP server, a workflow, or an agent with a strategy. What the model is told of a typed tool comes from its schemas. */
type AgentToolName<Tool extends string> = Tool | `mcp:${string}.${string}` | `workflow:${string}` | `agent:${string}`;

/** A tool with what the model is told of it. */
type AgentToolEntry<N extends Names> = {
  /** As the model calls it. */
  readonly name?: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonObject;
  readonly retryPolicy?: N['retryPolicy'];
  readonly retry?: AttemptKeys<N>['retry'];
  readonly timeout?: Duration;
  readonly policy?: PolicyLists;
} & (
  | { readonly tool: ToolName<N> }
  | { readonly name: ToolName<N>; readonly tool?: never }
  | { readonly name?: string; readonly server: N['mcpServer']; readonly tool: string }
  | ({ readonly name?: string; readonly output?: Mapping | string } & (
      | { readonly workflow: string | WorkflowDefinition }
      | { readonly agent: string | WorkflowDefinition }
    ))
  | { readonly name: string; readonly kind: { readonly type: string; readonly [key: string]: Json } }
);

/** Kinds whose nodes call one of the tools, by its name or by their own: what the tool is given types their input. */
type CallingKind = 'tool' | 'finalizer';
export type ToolKey = Spelling<FieldsOf<CallingKind>, 'tool_ref'>;
type InputKey = Spelling<FieldsOf<CallingKind>, 'input_mapping'>;

/** A node that calls a tool, by what the tool is given. Default: the whole state. */
type Calling<K extends CallingKind, N extends Names, Name extends string> = CallerKeys<K, N> & {
  readonly [P in InputKey]?: Mapping<N['toolInputs'][Name]>;
};
type CallerKeys<K extends CallingKind, N extends Names> = KeysBeside<K, N> &
  (Omit<FieldsOf<K>, 'tool_ref' | 'input_mapping' | 'server'> extends infer F extends FieldTable ? Keys<F, N> : never) &
  (K extends 'tool' ? { readonly type?: K } : { readonly type: K });
type NoSuchTool<K extends CallingKind, N extends Names> = CallerKeys<K, N> & {
  readonly tool: ToolName<N>;
  readonly input?: unknown;
};

/** What a node must be that names a tool in this way. */
type CallAs<K extends CallingKind, N extends Names, Id extends string, Given> = string extends keyof N['toolInputs']
  ? Calling<K, N, string> & { readonly [P in ToolKey]?: string }
  : [keyof Given & ToolKey] extends [never]
    ? Id extends ToolName<N>
      ? Calling<K, N, Id>
      : NoSuchTool<K, N>
    : Given[keyof Given & ToolKey] extends infer Name extends ToolName<N>
      ? Calling<K, N, Name> & { readonly [P in ToolKey]?: Name }
      : NoSuchTool<K, N>;

/** Kinds of nodes. `end` is another name for the target `end`. */
export type KindName = KindOfDocument | 'end';

/** The kind of a node that an author has given. Default: `tool`. */
export type KindGiven<Given> = Given extends { readonly type: infer Kind } ? Kind : 'tool';

/** What a node must be of which this has been given. */
export type NodeAs<N extends Names, Id extends string, Given> =
  KindGiven<Given> extends infer Kind
    ? Kind extends CallingKind
      ? CallAs<Kind, N, Id, Given>
      : Kind extends 'map'
        ? MapAs<N, Given>
        : Kind extends 'subgraph'
          ? SubgraphAs<N, Given>
          : Kind extends KindOfDocument
            ? NodeOf<Kind, N>
            : Kind extends 'end'
              ? EndNode
              : // So that errors list the kinds.
                { readonly type: { [K in KindName]: K }[KindName] }
    : never;
