import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Field } from '../../machines/nodes/field.ts';
import { fieldsBySpelling } from '../../machines/nodes/field-tables.ts';
import { definitionWritten } from '../authoring/kinds.ts';
import type { Tool } from '../runtime/types/work.ts';
import { authoredOf, isDefinition, type WorkflowDefinition } from './definition.ts';
import { isStandardSchema, type Schema } from './schema.ts';
import type { EventMap } from './settings.ts';
import { fileKey, mapValues, plainJson, schemaJson, toFileKeys } from './spelling.ts';
import { testsFile } from './tests-file.ts';
import { toolDescription } from './tool.ts';

/** A workflow as the builder takes it, without its types. */
export interface AnyWorkflow {
  readonly id?: string;
  readonly nodes: { readonly [id: string]: object };
  readonly tools?: { readonly [name: string]: unknown };
  readonly [key: string]: unknown;
}

/** Keys of the header, in the order of a file. */
const HEADER = ['id', 'version', 'name', 'description', 'start'] as const;

/** The workflow file of a definition. */
export function workflowFile(definition: AnyWorkflow): JsonObject {
  const { nodes, tools = {}, tests, state, mcpServers, remoteAgents, schedule, events, ...rest } = definition;
  const header = HEADER.flatMap((key): [string, Json][] => (rest[key] === undefined ? [] : [[key, plainJson(rest[key])]]));
  const settings = Object.entries(rest).filter(([key]) => !HEADER.some((known) => known === key));
  return {
    workflow: { ...Object.fromEntries(header), ...stateFile(state) },
    ...(toFileKeys(Object.fromEntries(settings)) as JsonObject),
    ...(mcpServers === undefined ? {} : { mcp: toFileKeys({ servers: mcpServers }) }),
    ...(remoteAgents === undefined ? {} : { a2a: toFileKeys({ remoteAgents }) }),
    ...(schedule === undefined ? {} : { schedule: toFileKeys(schedule) }),
    tools: toolsFile(tools),
    nodes: mapValues(nodes, (node, id) => ({
      ...nodeFile(node as JsonObject, tools),
      ...eventSchemaFile(node as JsonObject, id, (events ?? {}) as EventMap),
    })),
    ...(tests === undefined ? {} : { tests: testsFile(tests as readonly object[]) }),
  };
}

/** A library that cannot write its schemas as JSON Schema gives types only. */
export function stateFile(state: unknown): JsonObject {
  if (state === undefined) return {};
  const schema = schemaJson(state);
  return schema === null ? {} : { state_schema: schema };
}

/** The catalog of tools that are no functions of this process. */
export function toolsFile(tools: AnyWorkflow['tools']): JsonObject {
  const declared = Object.entries(tools ?? {}).filter(
    (entry): entry is [string, JsonObject] =>
      typeof entry[1] === 'object' && entry[1] !== null && (entry[1] as JsonObject).kind !== 'worker',
  );
  return Object.fromEntries(
    declared.map(([name, declaration]) => {
      const keys = Object.entries(declaration).map(([key, value]) => [
        key === 'input' ? 'input_schema' : fileKey(key),
        key === 'input' ? schemaJson(value) : plainJson(value),
      ]);
      return [name, Object.fromEntries(keys.filter(([, value]) => value !== null))];
    }),
  );
}

/** The functions among tools. */
export function functionsOf(tools: AnyWorkflow['tools']): Readonly<Record<string, Tool>> {
  return Object.fromEntries(
    Object.entries(tools ?? {}).filter((entry): entry is [string, Tool] => typeof entry[1] === 'function'),
  );
}

function nodeFile(node: JsonObject, tools: NonNullable<AnyWorkflow['tools']>): JsonObject {
  const definition = definitionWritten(node.type ?? 'tool');
  const fields = fieldsBySpelling(definition?.declaration.fields ?? {});
  const entries = Object.entries(node).filter(([, value]) => value !== undefined);
  return Object.fromEntries([
    ...entries.flatMap(([key, value]) => (fields.get(fileKey(key))?.options.names === 'function' ? scopeOf(value) : [])),
    ...entries.map(([key, value]) => [fileKey(key), fieldFile(key, value, fields.get(fileKey(key)) ?? null, tools)]),
  ]);
}

/** What the definition of a function says of it, which holds wherever a node runs it. */
function scopeOf(definition: unknown): (readonly [key: string, value: Json])[] {
  const { nodes = {} } = authoredOf(definition)?.content ?? {};
  return Object.values(nodes as JsonObject).flatMap((node) =>
    SCOPE.flatMap((key) => (isObject(node) && node[key] !== undefined ? [[key, node[key]] as const] : [])),
  );
}

/** Keys of a node that say what its function may do. */
const SCOPE = ['calls', 'machine'] as const;

/** The schema of the event that a node waits for, which the workflow declares. */
function eventSchemaFile(node: JsonObject, id: string, events: EventMap): JsonObject {
  const { schema, ...fields } = definitionWritten(node.type ?? 'tool')?.declaration.fields ?? {};
  const spellings = [...fieldsBySpelling(fields)].flatMap(([key, { options }]) => (options.names === 'event' ? [key] : []));
  if (schema === undefined || node.schema !== undefined || spellings.length === 0) return {};
  const named = Object.entries(node).find(([key]) => spellings.includes(fileKey(key)));
  const event = String(named?.[1] ?? id);
  const declared = Object.hasOwn(events, event) ? events[event] : undefined;
  const json = declared === undefined || declared === true ? null : schemaJson(declared);
  return json === null ? {} : { schema: json };
}

function fieldFile(key: string, value: unknown, field: Field | null, tools: NonNullable<AnyWorkflow['tools']>): Json {
  if (field?.holds === 'values') return plainJson(value);
  if (field?.holds === 'schema') return jsonSchema(key, value);
  if (field?.holds === 'work') return nodeFile(value as JsonObject, tools);
  if (field?.holds === 'tools') return agentTools(value, tools);
  if (field?.options.names === 'workflow' || field?.options.names === 'function') return idOf(value);
  return (toFileKeys({ [key]: value }) as JsonObject)[fileKey(key)] ?? null;
}

/** The id of a workflow or a function that is named by its id or by its definition, or those of several. */
function idOf(workflow: unknown): Json {
  if (Array.isArray(workflow)) return workflow.map(idOf);
  const named = typeof workflow === 'object' && workflow !== null && 'id' in workflow ? workflow.id : workflow;
  return plainJson(named);
}

function jsonSchema(key: string, schema: unknown): Json {
  const json = schemaJson(schema);
  if (json !== null || schema === null) return json;
  const vendor = isStandardSchema(schema as Schema)
    ? (schema as { '~standard': { vendor: string } })['~standard'].vendor
    : 'its library';
  throw new TypeError(`${key}: ${vendor} cannot write this schema as JSON Schema; write a JSON Schema, or one of TypeBox or zod`);
}

/** The tools of an agent; what the model is told of tools with schemas comes from those. */
function agentTools(called: unknown, tools: NonNullable<AnyWorkflow['tools']>): Json {
  if (!Array.isArray(called)) return plainJson(called);
  return called.map((entry: unknown): Json => {
    if (isDefinition(entry)) return toolOf(entry);
    const given = typeof entry === 'string' ? {} : toolEntry(entry as JsonObject, tools);
    const name = typeof entry === 'string' ? entry : (given.tool ?? given.name);
    const isOwn = ['server', 'workflow', 'agent', 'kind'].every((key) => given[key] === undefined);
    const known = isOwn && typeof name === 'string' && Object.hasOwn(tools, name) ? toolDescription(tools[name]) : null;
    if (known === null) return plainJson(typeof entry === 'string' ? entry : given);
    const { description, inputSchema } = known;
    if (typeof entry === 'string' && description === null && inputSchema === null) return entry;
    return {
      name: given.name ?? (name as string),
      ...(description === null ? {} : { description }),
      ...(inputSchema === null ? {} : { parameters: inputSchema }),
      ...given,
    };
  });
}

function toolEntry(
  { kind, workflow, agent, ...entry }: { readonly [key: string]: unknown },
  tools: NonNullable<AnyWorkflow['tools']>,
): JsonObject {
  const named = { ...entryFor('workflow', workflow), ...entryFor('agent', agent) };
  const keys: JsonObject = { ...named, ...(toFileKeys(entry) as JsonObject) };
  return kind === undefined ? keys : { ...keys, kind: nodeFile(kind as JsonObject, tools) };
}

/** A workflow or an agent that an entry names, by its id or its definition. */
function entryFor(key: 'workflow' | 'agent', named: unknown): JsonObject {
  if (named === undefined) return {};
  return isDefinition(named) ? toolOf(named) : { [key]: plainJson(named) };
}

/** A definition as a tool, with what the model is told of it. An agent with a strategy gives its answer, a workflow its state. */
function toolOf(definition: WorkflowDefinition): JsonObject {
  const { agent, workflow, nodes = {} } = authoredOf(definition)?.content ?? {};
  const { description, goal, state_schema: schema } = (agent ?? workflow ?? {}) as JsonObject;
  const isFunction = Object.values(nodes as JsonObject).every((node) => isObject(node) && node.type === 'durable_function');
  const input = isObject(schema) ? (isFunction && agent === undefined ? schema : requiredOf(schema)) : null;
  return {
    [agent === undefined ? 'workflow' : 'agent']: definition.id,
    ...((description ?? goal) === undefined ? {} : { description: description ?? goal ?? null }),
    ...(input === null ? {} : { parameters: input }),
  };
}

/** The schema of what an execution is started with: the other keys of its state are written by its nodes. */
function requiredOf(schema: JsonObject): JsonObject {
  const { properties, required } = schema;
  if (!isObject(properties) || !Array.isArray(required)) return schema;
  const names = required as readonly Json[];
  return { ...schema, properties: Object.fromEntries(Object.entries(properties).filter(([key]) => names.includes(key))) };
}
