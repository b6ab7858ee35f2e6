import { type Static, Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { expandAgent } from './agent-loop.ts';
import { readAgentTools } from './agent-tools.ts';
import { CALLS_PER_ANSWER_PROPERTY, readCallsPerAnswer } from './calls-per-answer.ts';
import { defineKind, type KindDefinition, type ScriptedResult } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { INPUT_MAPPING, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields, readOutputSchema } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const DEFAULT_MAX_TURNS = 10;
const MAX_PARALLEL_CALLS = 8;

const AgentTool = Type.Object(
  {
    name: Type.String({ description: 'As the model calls it.' }),
    description: Type.Optional(Type.String({ description: 'What the model is told of it.' })),
    parameters: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description: 'JSON Schema of its arguments.' })),
    node: Type.Unsafe<JsonObject>({ type: 'object', description: 'The node that carries out a call, without its input.' }),
  },
  { description: 'A tool that the agent may call.' },
);

export const ModelAgent = Type.Object(
  {
    type: Type.Literal('agent'),
    model_ref: Type.String({
      description: 'Model: a name in `models` or of the operator, `provider/model`, or a name such as `gpt-4o`.',
    }),
    system_prompt: Type.Optional(Type.String({ description: 'Instructions of the agent; may hold templates.' })),
    prompt: Type.Optional(
      Type.String({
        description: 'The task, which may hold templates. Default: the input mapping as JSON text, or `state.messages`.',
      }),
    ),
    input_mapping: INPUT_MAPPING,
    tools: Type.Array(AgentTool, { description: 'Tools that the agent may call. Default: none.' }),
    max_turns: Type.Integer({
      minimum: 1,
      description: `Times that the model is asked for one task, at most. The last time, it has to answer. Default: ${DEFAULT_MAX_TURNS}.`,
    }),
    parallel_tool_calls: Type.Integer({
      minimum: 1,
      maximum: MAX_PARALLEL_CALLS,
      description: 'Tool calls of one answer that are carried out at the same time, at most. Default: 1.',
    }),
    conversation_key: Type.String({
      description:
        'State key of the conversation, `{messages, requested, calls, waiting, turns, tool_calls}`. Default: `<node id>_conversation`.',
    }),
    temperature: Type.Optional(Type.Number({ minimum: 0, description: "Default: the provider's." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "Tokens of an answer, at most. Default: the provider's." }),
    ),
    output_schema: Type.Optional(
      Type.Unsafe<JsonObject>({ type: 'object', description: 'JSON Schema of the last answer, which is parsed and checked.' }),
    ),
    declared: Type.Optional(
      Type.Object(
        { provider: Type.String({ description: 'Provider.' }), model: Type.String({ description: 'Its name there.' }) },
        { description: 'The model that `models` names. Set by the runtime.' },
      ),
    ),
    ...CALLS_PER_ANSWER_PROPERTY,
    ...OUTPUT_PROPERTIES,
  },
  {
    description:
      'A language model that calls tools until it has an answer. Each turn is a visit to this node; each call is one to a node of its own, `<node id>.<tool>`.',
  },
);
export type ModelAgent = Static<typeof ModelAgent>;

export const modelAgent: KindDefinition<ModelAgent> = defineKind<ModelAgent>({
  type: 'agent',
  schema: ModelAgent,
  normalise: (fields) => ({
    type: 'agent',
    model_ref: fields.requiredName('model_ref'),
    ...optional('system_prompt', fields.text('system_prompt')),
    ...optional('prompt', fields.text('prompt')),
    input_mapping: fields.mapping('input_mapping'),
    tools: readAgentTools(fields),
    max_turns: fields.integer(['max_turns'], 1) ?? DEFAULT_MAX_TURNS,
    parallel_tool_calls: parallelCalls(fields),
    ...readCallsPerAnswer(fields),
    conversation_key: conversationKey(fields),
    ...optional('temperature', fields.number(['temperature'], 0)),
    ...optional('max_tokens', fields.integer(['max_tokens'], 1)),
    ...optional('output_schema', readOutputSchema(fields)),
    ...readOutputFields(fields),
  }),
  aliases: {
    model_ref: ['model'],
    system_prompt: ['instructions', 'system'],
    prompt: ['prompt_ref', 'goal', 'task'],
    input_mapping: ['input'],
    max_turns: ['max_iterations'],
  },
  requiredKeys: ['model_ref'],
  documentProperties: {
    tools: Type.Array(Type.Unsafe<JsonObject | string>({ type: ['string', 'object'], description: 'A tool.' }), {
      description:
        'Names of tools (`refund`, `mcp:server.tool`, `workflow:id`), or `{name, description, parameters}` with `tool`, `server` and `tool`, `workflow` or `kind`; also `retry_policy`, `timeout` and `policy`.',
    }),
    output_schema: Type.Unsafe<JsonObject | string>({
      type: ['object', 'string'],
      description: 'JSON Schema of the last answer, which is parsed and checked. An object or its text.',
    }),
  },
  distinctiveKeys: ['max_turns', 'parallel_tool_calls', 'max_calls_per_answer', 'conversation_key'],
  queue: () => 'model',
  policyNames: (kind) =>
    kind.declared === undefined ? namesOfModel(kind.model_ref) : [kind.model_ref, declaredNameOf(kind.model_ref, kind.declared)],
  models: (kind) => namesOfModel(declaredNameOf(kind.model_ref, kind.declared)),
  catalogModels: (kind) => [kind.model_ref],
  withModel: (kind, _name, { provider, model, temperature, max_tokens }) => ({
    ...optional('temperature', temperature),
    ...optional('max_tokens', max_tokens),
    ...kind,
    declared: { provider, model },
  }),
  mapping: (kind) => ({
    ...taskOf(kind),
    ...(kind.system_prompt === undefined ? {} : { system_prompt: kind.system_prompt }),
    // The lists of the conversation one by one: a large one is named in the log, not repeated.
    messages: `{{ state.${kind.conversation_key}.messages }}`,
    calls: `{{ state.${kind.conversation_key}.calls }}`,
    requested: `{{ state.${kind.conversation_key}.requested }}`,
    waiting: `{{ state.${kind.conversation_key}.waiting }}`,
    turns: `{{ state.${kind.conversation_key}.turns }}`,
    tool_calls: `{{ state.${kind.conversation_key}.tool_calls }}`,
    results: '{{ output }}',
  }),
  mappingKey: null,
  payload: (kind, input) => ({
    model: declaredNameOf(kind.model_ref, kind.declared),
    input,
    tools: kind.tools.map(({ name }) => name),
  }),
  testReplies: 'model',
  // An answer, whatever calls its conditions ask for.
  exploredOutputs: [{}],
  testResult,
  patchedKeys: (kind) => ({ [kind.conversation_key]: ['conversation'] }),
  internalState: (kind) => ({ [kind.conversation_key]: ['messages'] }),
  expand: expandAgent,
  syntax: {
    keys: {
      model_ref: { holds: 'text', spellings: ['model', 'model_ref'] },
      system_prompt: { holds: 'text', spellings: ['instructions', 'system', 'system_prompt'] },
      prompt: { holds: 'text', spellings: ['prompt', 'goal', 'task'] },
      input_mapping: { holds: 'json', spellings: ['input', 'arguments'] },
      tools: { holds: 'json' },
      max_turns: { holds: 'json', spellings: ['max_turns', 'max_iterations'] },
      parallel_tool_calls: { holds: 'json' },
      conversation_key: { holds: 'text' },
      temperature: { holds: 'json' },
      max_tokens: { holds: 'json' },
      max_calls_per_answer: { holds: 'json' },
      output_schema: { holds: 'json' },
      ...OUTPUT_SYNTAX,
    },
    complete(kind, { id }) {
      kind.conversation_key ??= defaultKey(id);
    },
  },
  summary: ({ model_ref, declared }) => declaredNameOf(model_ref, declared),
});

/** An answer, or calls: those that a test scripts, or those of a `conversation` in an output that the explorer tries. */
function testResult(
  kind: ModelAgent,
  { output = {}, toolCalls }: ScriptedResult,
): { readonly output: Json; readonly patch?: Json } {
  const tried = isObject(output) && isObject(output.conversation) ? output.conversation.calls : undefined;
  const calls = toolCalls ?? (Array.isArray(tried) ? (tried as readonly Json[]) : []);
  const now = calls.slice(0, kind.parallel_tool_calls);
  const conversation = { [kind.conversation_key]: { requested: calls, calls: now, waiting: calls.length - now.length } };
  if (now.length > 0) return { output: toolCalls === undefined ? '' : output, patch: conversation };
  return kind.output_key === undefined || kind.discard_output === true
    ? { output, patch: conversation }
    : { output, patch: { [kind.output_key]: output, ...conversation } };
}

/** What the agent is to do, as the mapping has it: a prompt, the input mapping, or the messages of the state. */
function taskOf({ prompt, input_mapping }: ModelAgent): JsonObject {
  if (prompt !== undefined) return { prompt };
  const input = mappingUnlessEmpty(input_mapping);
  return input === null ? { history: '{{ state.messages }}' } : { prompt: input };
}

function parallelCalls(fields: Fields): number {
  const given = fields.integer(['parallel_tool_calls'], 1) ?? 1;
  if (given <= MAX_PARALLEL_CALLS) return given;
  fields.error('out_of_range', 'parallel_tool_calls', `must be at most ${MAX_PARALLEL_CALLS}`);
  return MAX_PARALLEL_CALLS;
}

const IDENTIFIER = /^[A-Za-z_]\w*$/;

function conversationKey(fields: Fields): string {
  const given = fields.stateKey('conversation_key');
  if (given === undefined) return defaultKey(fields.location.node_id ?? '');
  if (!IDENTIFIER.test(given)) fields.error('bad_name', 'conversation_key', 'must be letters, digits and "_"');
  return given;
}

function defaultKey(id: string): string {
  const name = id.replace(/\W/g, '_');
  return `${/^\d/.test(name) ? '_' : ''}${name}_conversation`;
}
