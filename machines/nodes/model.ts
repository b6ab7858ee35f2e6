import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { SchemaMark } from './field.ts';
import { custom, integer, name, number, outputSchema, stateKey, text } from './fields.ts';
import { type DeclaredModel, declareKind, defineKind, type KindOf } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { CALLS_PER_ANSWER, DECLARED, OUTPUT } from './shared-fields.ts';
import { catalogSummariser, summariserNames, THREAD, withSummariser } from './threads.ts';

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** A test that explores a workflow may give them beside the output. */
const PATCHED_KEYS = {
  last_model_output: ['last_model_output'],
  last_model_finish_reason: ['last_model_finish_reason'],
  last_model_tool_calls: ['last_model_tool_calls'],
};

const INTERNAL_STATE = Object.fromEntries(Object.keys(PATCHED_KEYS).map((key) => [key, []]));

/** A function as OpenAI describes it. */
export interface ToolOfModel {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: JsonObject;
}

/** The model that is asked. */
export const MODEL_REF = name('Model: a name in `models` or of the operator, `provider/model`, or a name such as `gpt-4o`.', {
  required: true,
  spellings: ['model', 'model_ref'],
});

export const TEMPERATURE = number("Default: the provider's.", { minimum: 0, distinctive: true });

export const MAX_TOKENS = integer("Tokens of the answer, at most. Default: the provider's.", { minimum: 1, distinctive: true });

const MODEL = declareKind({
  type: 'model',
  description: 'Asks a language model. The runtime calls its provider.',
  fields: {
    model_ref: MODEL_REF,
    prompt_ref: text('The prompt, which may hold templates. Empty: the messages in `state.messages`.', {
      default: '',
      spellings: ['prompt', 'prompt_ref', 'prompt_template'],
    }),
    system_prompt: text('Instructions before the prompt; may hold templates.', {
      spellings: ['system_prompt', 'system'],
      distinctive: true,
    }),
    temperature: TEMPERATURE,
    max_tokens: MAX_TOKENS,
    max_calls_per_answer: CALLS_PER_ANSWER,
    tools: custom(
      {
        document: Type.Unsafe<readonly ToolOfModel[]>(
          Type.Array(Type.Unsafe<JsonObject>({ type: 'object', description: 'A function as OpenAI describes it.' }), {
            description:
              'Functions that the model may ask for: `{name, description, parameters}`, alone or as `{type: function, function}`.',
          }),
        ),
        read: readTools,
      },
      { default: () => [] },
    ),
    output_schema: custom({
      schema: Type.Unsafe<JsonObject>({ type: 'object' }),
      document: Type.Unsafe<SchemaMark>({
        type: ['object', 'string'],
        description:
          'JSON Schema of the answer, which is parsed and checked. An object or its text; a text that is a name stands for `output_key`.',
      }),
      holds: 'schema',
      read: readOutputSchema,
    }),
    // `true` says what holds for every answer: JSON is parsed.
    structured_output: outputSchema('The same as `output_schema`.', { only: 'file' }),
    ...THREAD,
    declared: DECLARED,
    ...OUTPUT,
    output_key: stateKey('State key that receives the output. Default: the rule of the kind, which is usually the node id.', {
      otherwise: keyInSchema,
    }),
  },
});
export type Model = KindOf<typeof MODEL>;

export const model = defineKind(MODEL, {
  queue: () => 'model',
  policyNames: (kind) =>
    kind.declared === undefined ? namesOfModel(kind.model_ref) : [kind.model_ref, declaredNameOf(kind.model_ref, kind.declared)],
  models: (kind) => namesOfModel(declaredNameOf(kind.model_ref, kind.declared)),
  furtherModels: summariserNames,
  catalogModels: (kind) => [kind.model_ref],
  furtherCatalogModels: catalogSummariser,
  withModel: (kind, named, declared) => withSummariser(withOwnModel(kind, named, declared), named, declared),
  mapping: ({ prompt_ref, system_prompt, thread }) => ({
    ...(prompt_ref === '' ? { messages: '{{ state.messages }}' } : { prompt_ref }),
    ...(system_prompt === undefined ? {} : { system_prompt }),
    ...optional('thread', thread),
  }),
  mappingKey: null,
  payload: (kind, input) => ({
    model: declaredNameOf(kind.model_ref, kind.declared),
    input,
    ...optional('temperature', kind.temperature),
    ...optional('max_tokens', kind.max_tokens),
    ...(kind.tools.length === 0 ? {} : { tools: kind.tools }),
  }),
  complete(kind) {
    if (isObject(kind.structured_output)) kind.output_schema ??= kind.structured_output;
    delete kind.structured_output;
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

/** The node with the model that is declared under the name, if it asks that one. */
export function withOwnModel<K extends { readonly model_ref: string }>(kind: K, named: string, declared: DeclaredModel): K {
  if (named !== kind.model_ref) return kind;
  const { provider, model: declaredModel, temperature, max_tokens } = declared;
  return {
    ...optional('temperature', temperature),
    ...optional('max_tokens', max_tokens),
    ...kind,
    declared: { provider, model: declaredModel },
  };
}

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

/** An object or its text is a schema; any other text, such as a class name, says nothing. */
function readOutputSchema(fields: Fields, key: string): JsonObject | undefined {
  const given = fields.json(key);
  if (given === undefined || isObject(given)) return given;
  if (typeof given !== 'string') {
    fields.error('wrong_type', key, 'must be a JSON Schema (an object or its text), or a state key');
    return undefined;
  }
  if (!given.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(given) as Json;
    if (isObject(parsed)) return parsed;
  } catch {
    // Reported like any other text that is no object.
  }
  fields.error('wrong_type', key, 'is not the text of a JSON object');
  return undefined;
}

/** A text in the place of the schema that is a name is the state key of the output. */
function keyInSchema(fields: Fields): string | undefined {
  const given = fields.json('output_schema');
  return typeof given === 'string' && IDENTIFIER.test(given) ? fields.stateKey('output_schema') : undefined;
}

function readTools(fields: Fields, key: string): JsonObject[] | undefined {
  return fields.list(key)?.flatMap((tool, i) => {
    if (isObject(tool) && typeof functionOf(tool).name === 'string') return [tool];
    fields.error('wrong_type', `${key}[${i}]`, 'must be an object {name, description, parameters}');
    return [];
  });
}

/** The function that a tool describes, alone or as `{type: 'function', function}`. */
export function functionOf(tool: JsonObject): JsonObject {
  return isObject(tool.function) ? tool.function : tool;
}
