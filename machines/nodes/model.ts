import { type Static, Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { CALLS_PER_ANSWER_PROPERTY, readCallsPerAnswer } from './calls-per-answer.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** A test that explores a workflow may give them beside the output. */
const PATCHED_KEYS = {
  last_model_output: ['last_model_output'],
  last_model_finish_reason: ['last_model_finish_reason'],
  last_model_tool_calls: ['last_model_tool_calls'],
};

const INTERNAL_STATE = Object.fromEntries(Object.keys(PATCHED_KEYS).map((key) => [key, []]));

const SCHEMA_DESCRIPTION = 'JSON Schema of the answer, which is parsed and checked.';

export const Model = Type.Object(
  {
    type: Type.Literal('model'),
    model_ref: Type.String({
      description: 'Model: a name in `models` or of the operator, `provider/model`, or a name such as `gpt-4o`.',
    }),
    prompt_ref: Type.String({ description: 'The prompt, which may hold templates. Empty: the messages in `state.messages`.' }),
    system_prompt: Type.Optional(Type.String({ description: 'Instructions before the prompt; may hold templates.' })),
    temperature: Type.Optional(Type.Number({ minimum: 0, description: "Default: the provider's." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "Tokens of the answer, at most. Default: the provider's." }),
    ),
    tools: Type.Array(Type.Unsafe<JsonObject>({ type: 'object', description: 'A function as OpenAI describes it.' }), {
      description: 'Functions that the model may ask for. The workflow calls them. Default: none.',
    }),
    output_schema: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description: SCHEMA_DESCRIPTION })),
    declared: Type.Optional(
      Type.Object(
        { provider: Type.String({ description: 'Provider.' }), model: Type.String({ description: 'Its name there.' }) },
        { description: 'The model that `models` names. Set by the runtime.' },
      ),
    ),
    ...CALLS_PER_ANSWER_PROPERTY,
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Asks a language model. The runtime calls its provider.' },
);
export type Model = Static<typeof Model>;

export const model: KindDefinition<Model> = defineKind<Model>({
  type: 'model',
  schema: Model,
  normalise: (fields) => {
    const output = readOutputFields(fields);
    const { schema, key } = readOutputSchema(fields);
    return {
      type: 'model',
      model_ref: fields.requiredName('model_ref'),
      prompt_ref: fields.text('prompt_ref') ?? '',
      ...optional('system_prompt', fields.text('system_prompt')),
      ...optional('temperature', fields.number(['temperature'], 0)),
      ...optional('max_tokens', fields.integer(['max_tokens'], 1)),
      tools: readTools(fields),
      ...readCallsPerAnswer(fields),
      ...optional('output_schema', schema),
      ...optional('output_key', key),
      ...output,
    };
  },
  aliases: { model_ref: ['model'], prompt_ref: ['prompt'], system_prompt: ['system'] },
  requiredKeys: ['model_ref'],
  documentProperties: {
    tools: Type.Array(Type.Unsafe<JsonObject>({ type: 'object', description: 'A function as OpenAI describes it.' }), {
      description:
        'Functions that the model may ask for: `{name, description, parameters}`, alone or as `{type: function, function}`.',
    }),
    output_schema: Type.Unsafe<JsonObject | string>({
      type: ['object', 'string'],
      description: `${SCHEMA_DESCRIPTION} An object or its text; a text that is a name stands for \`output_key\`.`,
    }),
  },
  distinctiveKeys: ['system_prompt', 'temperature', 'max_tokens', 'max_calls_per_answer'],
  queue: () => 'model',
  policyNames: (kind) =>
    kind.declared === undefined ? namesOfModel(kind.model_ref) : [kind.model_ref, declaredNameOf(kind.model_ref, kind.declared)],
  models: (kind) => namesOfModel(declaredNameOf(kind.model_ref, kind.declared)),
  catalogModels: (kind) => [kind.model_ref],
  withModel: (kind, _name, { provider, model: declaredModel, temperature, max_tokens }) => ({
    ...optional('temperature', temperature),
    ...optional('max_tokens', max_tokens),
    ...kind,
    declared: { provider, model: declaredModel },
  }),
  mapping: ({ prompt_ref, system_prompt }) => ({
    ...(prompt_ref === '' ? { messages: '{{ state.messages }}' } : { prompt_ref }),
    ...(system_prompt === undefined ? {} : { system_prompt }),
  }),
  mappingKey: null,
  payload: (kind, input) => ({
    model: declaredNameOf(kind.model_ref, kind.declared),
    input,
    ...optional('temperature', kind.temperature),
    ...optional('max_tokens', kind.max_tokens),
    ...(kind.tools.length === 0 ? {} : { tools: kind.tools }),
  }),
  syntax: {
    keys: {
      model_ref: { holds: 'text', spellings: ['model', 'model_ref'] },
      prompt_ref: { holds: 'text', spellings: ['prompt', 'prompt_ref', 'prompt_template'] },
      system_prompt: { holds: 'text', spellings: ['system_prompt', 'system'] },
      temperature: { holds: 'json' },
      max_tokens: { holds: 'json' },
      max_calls_per_answer: { holds: 'json' },
      tools: { holds: 'json' },
      output_schema: { holds: 'json' },
      structured_output: { holds: 'json' },
      ...OUTPUT_SYNTAX,
    },
    /** `structured_output: true` says what holds for every answer: JSON is parsed. */
    complete(kind) {
      if (isObject(kind.structured_output)) kind.output_schema ??= kind.structured_output;
      delete kind.structured_output;
    },
  },
  testReplies: 'model',
  testResult(kind, { output = {}, toolCalls = [] }) {
    const given = isObject(output) ? output : {};
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    const finishReason = toolCalls.length > 0 ? 'tool_calls' : 'stop';
    const patch = modelPatch(kind, { output, text, finishReason, calls: toolCalls });
    const overridden = Object.keys(PATCHED_KEYS).flatMap((key) => (Object.hasOwn(given, key) ? [[key, given[key] ?? null]] : []));
    return { output, patch: { ...patch, ...Object.fromEntries(overridden) } };
  },
  patchedKeys: () => PATCHED_KEYS,
  internalState: () => INTERNAL_STATE,
  summary: ({ model_ref, declared }) => declaredNameOf(model_ref, declared),
});

/** How an answer changes the state. One that asks for tools is not stored under `output_key`: what follows it is the answer. */
export function modelPatch(
  { output_key }: Pick<Model, 'output_key'>,
  answer: { readonly output: Json; readonly text: string; readonly finishReason: string; readonly calls: readonly Json[] },
): JsonObject {
  const { output, text, finishReason, calls } = answer;
  return {
    ...(output_key === undefined || calls.length > 0 ? {} : { [output_key]: output }),
    last_model_output: text,
    last_model_finish_reason: finishReason,
    last_model_tool_calls: [...calls],
  };
}

/** An object or its text is a schema. A text that is a name is a state key; any other text, such as a class name, says nothing. */
function readOutputSchema(fields: Fields): { readonly schema?: JsonObject; readonly key?: string } {
  const given = fields.json('output_schema');
  if (given === undefined || given === null) return {};
  if (isObject(given)) return { schema: given };
  if (typeof given !== 'string') {
    fields.error('wrong_type', 'output_schema', 'must be a JSON Schema (an object or its text), or a state key');
    return {};
  }
  if (IDENTIFIER.test(given)) return optional('key', fields.stateKey('output_schema'));
  if (!given.trimStart().startsWith('{')) return {};
  try {
    const parsed = JSON.parse(given) as Json;
    if (isObject(parsed)) return { schema: parsed };
  } catch {
    // Reported like any other text that is no object.
  }
  fields.error('wrong_type', 'output_schema', 'is not the text of a JSON object');
  return {};
}

function readTools(fields: Fields): JsonObject[] {
  return (fields.list('tools') ?? []).flatMap((tool, i) => {
    if (isObject(tool) && typeof functionOf(tool).name === 'string') return [tool];
    fields.error('wrong_type', `tools[${i}]`, 'must be an object {name, description, parameters}');
    return [];
  });
}

/** The function that a tool describes, alone or as `{type: 'function', function}`. */
export function functionOf(tool: JsonObject): JsonObject {
  return isObject(tool.function) ? tool.function : tool;
}
