import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import { rejectionsIn } from './agent-calls.ts';
import { expandAgent } from './agent-loop.ts';
import { type AgentTool, readAgentTools, type WrittenTools } from './agent-tools.ts';
import { custom, integer, outputSchema, readBy, stateKey, text } from './fields.ts';
import { HANDOFF, HANDOFF_ROUTER, handoffEdges, handoffIn, handoffTool } from './handoffs.ts';
import { declareKind, defineKind, type KindOf, mappingUnlessEmpty, type ScriptedResult } from './kind.ts';
import { MAX_TOKENS, MODEL_REF, TEMPERATURE, withOwnModel } from './model.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';
import { CALLS_PER_ANSWER, DECLARED, INPUT_MAPPING, MAX_REPAIRS, OUTPUT } from './shared-fields.ts';
import { catalogSummariser, summariserNames, THREAD, withSummariser } from './threads.ts';

const DEFAULT_MAX_TURNS = 10;

const Tool = Type.Object({
  name: Type.String(),
  description: Type.Optional(Type.String()),
  parameters: Type.Optional(Type.Object({})),
  node: Type.Object({}),
});

export const MODEL_AGENT = declareKind({
  type: 'agent',
  description:
    'A language model that calls tools until it has an answer. Each turn is a visit to this node; each call is one to a node of its own, `<node id>.<tool>`.',
  fields: {
    model_ref: MODEL_REF,
    system_prompt: text('Instructions of the agent; may hold templates.', {
      spellings: ['instructions', 'system', 'system_prompt'],
    }),
    prompt: text('The task, which may hold templates. Default: the input mapping as JSON text, or `state.messages`.', {
      spellings: ['prompt', 'goal', 'task', 'prompt_ref'],
    }),
    input_mapping: INPUT_MAPPING,
    tools: custom(
      {
        schema: Type.Array(Tool),
        document: Type.Unsafe<WrittenTools>(
          Type.Array(Type.Unsafe({ type: ['string', 'object'], description: 'A tool.' }), {
            description:
              'Names of tools (`refund`, `mcp:server.tool`, `workflow:id`, `agent:id`), or `{name, description, parameters}` with `tool`, `server` and `tool`, `workflow`, `agent` or `kind`; also `retry_policy`, `timeout` and `policy`, and `output` of a workflow or an agent.',
          }),
        ),
        holds: 'tools',
        read: readAgentTools,
      },
      { default: [] as AgentTool[] },
    ),
    max_turns: integer(
      `Times that the model is asked for one task, at most. The last time, it has to answer. Default: ${DEFAULT_MAX_TURNS}.`,
      { minimum: 1, default: DEFAULT_MAX_TURNS, spellings: ['max_turns', 'max_iterations'], distinctive: true },
    ),
    parallel_tool_calls: integer('Tool calls of one answer that are carried out at the same time, at most. Default: 1.', {
      minimum: 1,
      maximum: 8,
      default: 1,
      distinctive: true,
    }),
    conversation_key: readBy(
      stateKey(
        'State key of the conversation, `{messages, requested, calls, waiting, turns, tool_calls}`, and `thread` if it has one. Default: `<node id>_conversation`.',
        { default: ({ location }: Fields) => defaultKey(location.node_id ?? ''), distinctive: true },
      ),
      (usual, fields, key) => {
        const given = usual() ?? '';
        if (!IDENTIFIER.test(given)) fields.error('bad_name', key, 'must be letters, digits and "_"');
        return given;
      },
    ),
    temperature: TEMPERATURE,
    max_tokens: MAX_TOKENS,
    max_calls_per_answer: CALLS_PER_ANSWER,
    max_repairs: MAX_REPAIRS,
    handoff: HANDOFF,
    handoff_router: HANDOFF_ROUTER,
    output_schema: outputSchema('JSON Schema of the last answer, which is parsed and checked. An object or its text.'),
    ...THREAD,
    declared: DECLARED,
    ...OUTPUT,
  },
});
export type ModelAgent = KindOf<typeof MODEL_AGENT>;

export const modelAgent = defineKind(MODEL_AGENT, {
  check({ tools, handoff = [] }, fields) {
    const names = new Set(tools.map(({ name }) => name));
    for (const [i, { agent }] of handoff.entries())
      if (names.has(handoffTool(agent)))
        fields.error('duplicate_tool', `handoff[${i}]`, `needs the tool "${handoffTool(agent)}", which is used twice`);
  },
  queue: () => 'model',
  policyNames: (kind) =>
    kind.declared === undefined ? namesOfModel(kind.model_ref) : [kind.model_ref, declaredNameOf(kind.model_ref, kind.declared)],
  models: (kind) => namesOfModel(declaredNameOf(kind.model_ref, kind.declared)),
  furtherModels: summariserNames,
  catalogModels: (kind) => [kind.model_ref],
  furtherCatalogModels: catalogSummariser,
  withModel: (kind, named, declared) => withSummariser(withOwnModel(kind, named, declared), named, declared),
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
    ...optional('thread', kind.thread),
  }),
  mappingKey: null,
  payload: (kind, input) => ({
    model: declaredNameOf(kind.model_ref, kind.declared),
    input,
    tools: kind.tools.map(({ name }) => name),
  }),
  testReplies: 'model',
  // An answer, whatever calls its conditions ask for, and each handoff.
  exploredOutputs: ({ handoff = [] }) => [
    {},
    ...handoff.map(({ agent }) => ({ conversation: { calls: [{ name: handoffTool(agent), arguments: {} }] } })),
  ],
  testResult,
  patchedKeys: (kind) => ({ [kind.conversation_key]: ['conversation'] }),
  resultEvents(kind, patch, node) {
    const conversation = isObject(patch) ? patch[kind.conversation_key] : undefined;
    const handoff = handoffIn(kind.handoff ?? [], conversation, node);
    const rejected = rejectionsIn(conversation).map((data) => ({ type: 'tool_call_rejected' as const, data }));
    return handoff === null ? rejected : [...rejected, { type: 'agent_handoff' as const, data: handoff }];
  },
  conversation: (kind) => kind.conversation_key,
  defaultConversation: (_kind, id) => defaultKey(id),
  handoffs: ({ handoff = [] }) => handoff,
  handoffEdges,
  withConversation: (kind, { key = kind.conversation_key, handoff = kind.handoff, router = kind.handoff_router }) => ({
    ...kind,
    conversation_key: key,
    ...optional('handoff', handoff),
    ...optional('handoff_router', router),
  }),
  internalState: (kind) => ({ [kind.conversation_key]: ['messages'] }),
  expand: expandAgent,
  complete(kind, { id }) {
    kind.conversation_key ??= defaultKey(id);
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

const IDENTIFIER = /^[A-Za-z_]\w*$/;

function defaultKey(id: string): string {
  const name = id.replace(/\W/g, '_');
  return `${/^\d/.test(name) ? '_' : ''}${name}_conversation`;
}
