import type { TSchema } from 'typebox';
import type { LogEvent } from '../events/index.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { FieldTable, KindDefaults, NormalForm } from './field.ts';
import { objectSchema, readerOf } from './field-tables.ts';
import type { Handoff, HandoffEdge, HandoffRouter } from './handoffs.ts';

/** Queues that external workers can claim from. */
export type Queue = 'model' | 'tool' | 'python_tool' | 'java_tool' | 'retrieval' | 'privileged' | 'general';

/**
 * How the machine treats a node:
 * - `work`: an executor in this process or an external worker does it; it may fail and be retried;
 * - `control`: finishes inside the step that reaches it;
 * - `approval`, `wait`: parked until a message or a timer;
 * - `child`: a child execution does it;
 * - `judge`: asks a policy: finishes inside the step that begins it, or waits for a person's decision like a held tool;
 * - `items`: does the same piece of work for every item of a list.
 */
export type Behaviour = 'work' | 'control' | 'approval' | 'wait' | 'child' | 'judge' | 'items';

/** A target that a node names beside edges: `on_approved`, `branch` … A role other than `branch` names one target. */
export interface NamedTarget {
  readonly role: string;
  readonly to: string;
}

/** The function that the workflow's `tools` name for a tool, by the language of the external workers that call it. */
export interface ToolFunction {
  readonly python?: { readonly module: string; readonly function: string };
  readonly java?: { readonly class_name: string; readonly method: string };
}

/** The model that the workflow's `models` declare under a name. */
export interface DeclaredModel {
  readonly provider: string;
  readonly model: string;
  readonly temperature?: number;
  readonly max_tokens?: number;
}

/** What follows when the work of a node has judged that other work does not pass. */
export interface Scoring {
  /**
   * - `halt`: the node fails;
   * - `log_and_continue`: the node completes;
   * - `escalate`: a person decides, as at an approval;
   * - `retry_with_feedback`: the node completes, and the work before it runs again; after `maxRetries` times, the node fails.
   */
  readonly onFail: 'halt' | 'log_and_continue' | 'escalate' | 'retry_with_feedback';
  readonly maxRetries: number;
  /** Milliseconds until the decision of a person times out; null = not limited. */
  readonly reviewTimeoutMs: number | null;
}

/** The result of work in a test. */
export interface ScriptedResult {
  /** Absent = the test does not say. */
  readonly output?: Json;
  /** Tools that a model asks for: `{id, name, arguments}`. */
  readonly toolCalls?: readonly JsonObject[];
}

/** The work that a node does for every item of a list. */
export interface ItemWork {
  /** An expression, or a list with templates. */
  readonly items: Json;
  /** The name of the item in templates. */
  readonly as: string;
  /** The kind that does the work of one item, in normal form. */
  readonly work: { readonly type: string };
  /** The template for what is kept of a result; null = all of it. */
  readonly output: Json | null;
  /** Items at work at the same time. */
  readonly maxConcurrency: number;
  /** Whether the first success completes the node. Then it fails when all items have. */
  readonly takesFirst: boolean;
  /** How many of `count` items may fail before the node does. */
  readonly tolerated: (count: number) => number;
}

/** What a document says of a durable function. */
export interface FunctionScope {
  /** Ids of the workflows that it may call; null = it does not say. */
  readonly calls: readonly string[] | null;
  /** The states of the machine that it runs; null = it runs none. */
  readonly machine: JsonObject | null;
}

/** How an execution ends: `always` is also a cancel, `failure` also a limit. */
export type RunsAtEnd = 'always' | 'success' | 'failure';

/** A branch that a node lists itself. */
export interface NodeBranch {
  /** An expression; null = the default of a choice, or a branch that is always started. */
  readonly condition: string | null;
  readonly target: string;
}

/** Nodes and edges that a node stands for besides itself, as documents have them. */
export interface Expansion {
  readonly nodes: readonly (readonly [id: string, node: JsonObject])[];
  readonly edges: readonly JsonObject[];
  /** Edges out of the node itself, which are tried before its others. */
  readonly first: readonly JsonObject[];
  /** Those of the nodes that carry out a tool call of a model. Default: none. */
  readonly calls?: readonly (readonly [id: string, call: ModelCall])[];
}

/** Where the state has a tool call of a model: `state[key].calls[position]`, `{id, name, arguments}`. */
export interface ModelCall {
  readonly key: string;
  readonly position: number;
}

/**
 * What routes a parked node on whose time is over and that names no target for it:
 * - `continue`: the end of its time is its normal outcome (a timer);
 * - `continue_unless_routed`: its ordinary edges, unless it has a fallback;
 * - `fail`: nothing; it fails, and its fallback applies.
 */
export type TimeoutOutcome = 'continue' | 'continue_unless_routed' | 'fail';

/** What a kind declares of itself: how it is written follows from it, in documents, in workflow files and in TypeScript. */
export interface KindDeclaration {
  readonly type: string;
  readonly description: string;
  /** Its keys, in the order of a compiled document. */
  readonly fields: FieldTable;
  /** Whether `timeout` limits an attempt in a workflow file, and `retry` says what follows a failed one. Default: true. */
  readonly attempts?: boolean;
  /** Whether `next` may follow in a workflow file. Default: true. */
  readonly next?: boolean;
}

/** The kind in normal form. */
export type KindOf<D extends KindDeclaration> = { readonly type: D['type'] } & NormalForm<D['fields']>;

/** A declaration with the types of its fields. */
export function declareKind<const D extends KindDeclaration>(declaration: D): D {
  return declaration;
}

/**
 * Everything that distinguishes one node kind from the others; `machines/nodes/<type>.ts` exports one, made by `defineKind`, and
 * `machines/nodes/index.ts` lists it. No other module asks for the name of a kind.
 *
 * Members that are not functions hold for every node of the kind. Every member is documented with the default that `defineKind` gives it.
 */
export interface KindDefinition<K extends { readonly type: string }, D extends KindDeclaration = KindDeclaration> {
  readonly type: K['type'];
  readonly declaration: D;
  /** The kind in normal form. */
  readonly schema: TSchema;
  /**
   * Reads any accepted spelling into the normal form. `fields` are those of the author's kind object with the node's own
   * extension keys merged in (`on_rejected` beside `kind` counts as inside it); problems are noted there. Default: field by field.
   */
  normalise(fields: Fields, defaults: KindDefaults): K;
  /** Notes what is wrong with the fields together. Default: nothing. */
  check(kind: K, fields: Fields): void;
  /** Fills in what the author of a workflow file left out. Default: nothing. */
  complete(kind: Record<string, Json>, facts: AuthoredFacts): void;

  /** Default: `work`. */
  behaviour(kind: K): Behaviour;
  /** The queue that external workers claim it from; null = never handed out. Default: null. */
  queue(kind: K): Queue | null;
  /** The names that policy globs match, most exact first. Default: none. */
  policyNames(kind: K): readonly string[];
  /** The state key with the tool calls of a model that it carries out, whose names policy globs match too. Default: null. */
  toolCalls(kind: K): string | null;
  /** The tool whose call is logged as `tool_call_completed`. Default: null. */
  tool(kind: K): string | null;
  /** The entry of the workflow's `tools` that describes its tool. Default: null. */
  catalogTool(kind: K): string | null;
  /** The MCP server that it calls: an entry of the workflow's `mcp_servers`, or one of the operator's. Default: null. */
  mcpServer(kind: K): string | null;
  /** The remote agent that it calls: an entry of the workflow's `remote_agents`, a URL, or a registered agent; may hold templates. Default: null. */
  remoteAgent(kind: K): string | null;
  /** The kind with the function that its catalog entry names. Default: the kind as it is. */
  withFunction(kind: K, named: ToolFunction): K;
  /** The names of the model that it uses, as a `model_allowlist` may have them. Default: none. */
  models(kind: K): readonly string[];
  /** Further models that it uses, each by such names. Default: none. */
  furtherModels(kind: K): readonly (readonly string[])[];
  /**
   * Whether its input is what models are asked. If the workflow has a data policy, the executor gets it without personal data; otherwise, the executor
   * passes what it sends to models through `Work.forModels`. Default: true.
   */
  readonly inputIsPrompt: boolean;
  /** The names that it uses for models, which the workflow's `models` may declare. Default: none. */
  catalogModels(kind: K): readonly string[];
  /** Those for models that it asks beside its work. Their time limits and retry policies are not those of the node. Default: none. */
  furtherCatalogModels(kind: K): readonly string[];
  /** The kind with the model that is declared under one of the names. Default: the kind as it is. */
  withModel(kind: K, name: string, declared: DeclaredModel): K;
  /** How a result that does not say `passed: true` ends the visit; null = like any other result. Default: null. */
  scoring(kind: K): Scoring | null;
  /** Further tools that its work calls in this process, with their keys: functions of the operator, or HTTP entries of `tools`. Default: none. */
  furtherTools(kind: K): readonly { readonly name: string; readonly key: string }[];
  /** Expressions that must be readable, with their keys. Conditions that are not are only a warning. Default: none. */
  assertions(kind: K): readonly { readonly text: string; readonly key: string }[];
  /** Fields of the work payload beside those that every payload has. `input` is rendered. Default: none. */
  payload(kind: K, input: Json): JsonObject;
  /** Whether an object result becomes the state patch (code nodes) or is stored under the node's id. Default: false. */
  readonly objectResultIsPatch: boolean;
  /** Whether its work is a function with a journal, which parks while it only waits. Default: false. */
  readonly keepsJournal: boolean;
  /** What its function may do. Default: call any workflow from the process of the server, and none from a worker; run no machine. */
  functionScope(kind: K): FunctionScope;
  /** The workflow that a child execution runs; without a version, the one registered last. Default: null. */
  childWorkflow(kind: K): { readonly ref: string; readonly version: string | undefined } | null;

  /** The work that it does for every item of a list. Other members speak of that work then. Default: null. */
  itemWork(kind: K): ItemWork | null;

  /** The template that each attempt renders into its input; null = the whole state is the input. Default: the fields that are rendered. */
  mapping(kind: K): Json | null;
  /** Key of the mapping; null = every key of the mapping is a key of the kind. Default: the only field that is rendered, if it is a mapping. */
  readonly mappingKey: string | null;
  /**
   * The template that is rendered when it begins to be parked, and the key it is written at: what a person is shown, or the time until which
   * it waits. Default: null.
   */
  startTemplate(kind: K): { readonly key: string; readonly template: string } | null;
  /** The mapping from a child's final state to the node's output; null = the final state is the output. Default: null. */
  outputMapping(kind: K): JsonObject | string | null;

  /** Targets named beside edges; branches come first, as written. Default: the fields that are targets. */
  targets(kind: K): readonly NamedTarget[];
  /** `choice`: takes the first branch or edge whose condition holds; `all`: starts all of them. Default: null. */
  readonly branching: 'choice' | 'all' | null;
  /** The branches it lists; with branches, a choice follows no other edges. Default: none. */
  branches(kind: K): readonly NodeBranch[];
  /** Where those branches lead that lead nowhere themselves. Default: null. */
  branchTarget(kind: K): string | null;
  /** `all`: a join that waits for all its live sources; `first`: for the first of them; null = no join. Default: null. */
  joins(kind: K): 'all' | 'first' | null;
  /** Nodes that a join waits for, whether or not edges lead from them. Default: none. */
  waitsForNodes(kind: K): readonly string[];
  /** Whether it has no output of its own and passes on what it received. Default: false. */
  readonly forwardsInput: boolean;
  /** When it runs although no edge leads to it: before the execution ends in such a way. Default: null. */
  runsAtEnd(kind: K): RunsAtEnd | null;
  /** Seconds for one attempt; null = as the workflow says. Default: null. */
  readonly defaultTimeoutSecs: number | null;
  /** Whether reaching it ends the execution as `limit_exceeded`. Default: false. */
  readonly endsExecution: boolean;

  /** The correlation key of the external event that it waits for. Default: null. */
  waitsForEvent(kind: K): string | null;
  /** The JSON Schema of that event's payload; null = any payload. Default: null. */
  eventSchema(kind: K): JsonObject | null;
  /** Milliseconds that it stays parked at most; `template` = until the time that its `startTemplate` gives; null = not limited. Default: null. */
  parkTimeout(kind: K): number | 'template' | null;
  /** Default: `fail`. */
  timeoutOutcome(kind: K): TimeoutOutcome;
  /** What to do about an only edge that is taken for an outcome, so that any other end leads nowhere; null = that cannot be. Default: null. */
  outcomeEdgeHint(kind: K): string | null;

  /** Whether it may stand for nodes and edges besides itself. */
  readonly expands: boolean;
  /** Nodes and edges that it stands for besides itself. Default: none. */
  expand(kind: K, id: string): Expansion | null;

  /** What the results of a test may say of it: how its work ended, a model's answer, a decision, an event, or nothing. Default: `work`. */
  readonly testReplies: 'work' | 'model' | 'decision' | 'event' | 'none';
  /** What its work tells the machine for a result that a test scripts. Default: the output, `{}` if there is none. */
  testResult(kind: K, scripted: ScriptedResult): { readonly output: Json; readonly patch?: Json };
  /** State keys that a result writes beside that of its output, with the path to their value in a scripted output. Default: none. */
  patchedKeys(kind: K): Readonly<Record<string, readonly string[]>>;
  /** Events that follow the `node_completed` of a visit, by the patch of its result. Their data has no activation. Default: none. */
  resultEvents(kind: K, patch: Json, node: string): readonly Pick<LogEvent, 'type' | 'data'>[];
  /** The state key of the conversation that it has with a model; null = it has none that others could go on with. Default: null. */
  conversation(kind: K): string | null;
  /** The state key of the conversation if the document names none. */
  defaultConversation(kind: K, id: string): string;
  /** Other nodes that may go on with its conversation. Default: none. */
  handoffs(kind: K): readonly Handoff[];
  /** The edges that lead there. Default: none. */
  handoffEdges(kind: K): readonly HandoffEdge[];
  /** The kind with another conversation, or other nodes that may go on with it. Default: the kind as it is. */
  withConversation(
    kind: K,
    change: { readonly key?: string; readonly handoff?: readonly Handoff[]; readonly router?: HandoffRouter | undefined },
  ): K;
  /** State keys that only results of such nodes write, with the lists of objects in them that an input may begin with. Default: none. */
  internalState(kind: K): Readonly<Record<string, readonly string[]>>;

  /** Outputs that an exploration tries besides those that its conditions ask for. Default: none. */
  exploredOutputs(kind: K): readonly Json[];

  /** What it calls, waits for or asks, in a few words; '' = nothing to add to its type. Default: its first policy name. */
  summary(kind: K): string;
  /** Shape and icon in diagrams. Default: `tool`. */
  readonly diagramShape: NodeShape;
  /** Its character in the outlines of terminals. Default: the first letter of its type. */
  readonly letter: string;
}

/** Shapes of nodes in diagrams. A kind may share the shape of another. */
export type NodeShape =
  | 'tool'
  | 'http'
  | 'python_fn'
  | 'java_fn'
  | 'condition'
  | 'parallel'
  | 'join'
  | 'human_approval'
  | 'wait'
  | 'subgraph'
  | 'limit_exceeded';

/** What is known of a kind that was read from a workflow file, besides its keys. */
export interface AuthoredFacts {
  /** The node's id. */
  readonly id: string;
  /** The durations that were written, by their fields. */
  readonly durations: ReadonlySet<string>;
}

/** What a kind says beside its declaration. */
type KindBehaviour<K extends { readonly type: string }> = Partial<
  Omit<KindDefinition<K>, 'type' | 'declaration' | 'schema' | 'expands'>
>;

const NONE: readonly never[] = [];
const NO_SCOPE: FunctionScope = { calls: null, machine: null };

/** Null for none. */
export function millisecondsOf(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1_000);
}

/** A definition with the defaults for what `behaviour` does not say. */
export function defineKind<const D extends KindDeclaration>(
  declaration: D,
  behaviour: KindBehaviour<KindOf<D>>,
): KindDefinition<KindOf<D>, D> {
  type K = KindOf<D>;
  const { type, description, fields } = declaration;
  const { check = () => {} } = behaviour;
  const definition: Omit<KindDefinition<K>, 'declaration'> = {
    type: type as K['type'],
    schema: objectSchema(fields, description, { type: Type.Literal(type) }),
    normalise: readerOf(fields, { type }, check as never) as unknown as KindDefinition<K>['normalise'],
    check,
    complete: () => {},
    behaviour: () => 'work',
    queue: () => null,
    policyNames: () => [],
    toolCalls: () => null,
    tool: () => null,
    catalogTool: () => null,
    mcpServer: () => null,
    remoteAgent: () => null,
    withFunction: (kind) => kind,
    models: () => [],
    furtherModels: () => [],
    inputIsPrompt: true,
    catalogModels: () => [],
    furtherCatalogModels: () => [],
    withModel: (kind) => kind,
    scoring: () => null,
    furtherTools: () => [],
    assertions: () => [],
    payload: () => ({}),
    objectResultIsPatch: false,
    keepsJournal: false,
    functionScope: () => NO_SCOPE,
    childWorkflow: () => null,
    itemWork: () => null,
    ...mappingOf(fields),
    startTemplate: () => null,
    outputMapping: () => null,
    targets: targetsOf(fields),
    branching: null,
    branches: () => [],
    branchTarget: () => null,
    joins: () => null,
    waitsForNodes: () => [],
    forwardsInput: false,
    runsAtEnd: () => null,
    defaultTimeoutSecs: null,
    endsExecution: false,
    waitsForEvent: () => null,
    eventSchema: () => null,
    parkTimeout: () => null,
    timeoutOutcome: () => 'fail',
    outcomeEdgeHint: () => null,
    expands: behaviour.expand !== undefined,
    expand: () => null,
    testReplies: 'work',
    testResult: (_kind, { output = {} }) => ({ output }),
    patchedKeys: () => ({}),
    resultEvents: () => NONE,
    conversation: () => null,
    defaultConversation: () => '',
    handoffs: () => NONE,
    handoffEdges: () => NONE,
    withConversation: (kind) => kind,
    internalState: () => ({}),
    exploredOutputs: () => NONE,
    summary: (kind) => behaviour.policyNames?.(kind)[0] ?? '',
    diagramShape: 'tool',
    letter: type.slice(0, 1),
    ...behaviour,
  };
  return { ...definition, declaration };
}

/** The targets among a kind's fields that the author named, in the order of the fields. */
function targetsOf(fields: FieldTable): (kind: object) => readonly NamedTarget[] {
  const roles = Object.keys(fields).filter((key) => fields[key]?.isTarget);
  return (kind) =>
    roles.flatMap((role) => {
      const to = (kind as Readonly<Record<string, string | undefined>>)[role];
      return to === undefined ? [] : [{ role, to }];
    });
}

/** One mapping is the input; of several fields, the input has those that are there. Null if there are none. */
function mappingOf(fields: FieldTable): { mapping(kind: object): Json | null; mappingKey: string | null } {
  const rendered = Object.keys(fields).filter((key) => fields[key]?.options.rendered);
  const [only] = rendered;
  if (rendered.length < 2 && (only === undefined || only === 'input_mapping')) {
    const mapping = (kind: { readonly input_mapping?: JsonObject | string }) => mappingUnlessEmpty(kind.input_mapping ?? {});
    return { mapping: only === undefined ? () => null : mapping, mappingKey: 'input_mapping' };
  }
  const mapping = (kind: object): Json | null => {
    const values = kind as Readonly<Record<string, Json | undefined>>;
    const present = rendered.flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]] as const]));
    return present.length === 0 ? null : Object.fromEntries(present);
  };
  return { mapping, mappingKey: null };
}

/** Null for a mapping without entries, which means the whole state. */
export function mappingUnlessEmpty(given: JsonObject | string): Json | null {
  return typeof given === 'string' || Object.keys(given).length > 0 ? given : null;
}
