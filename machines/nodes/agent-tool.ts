import { isObject, type Json } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { Field } from './field.ts';
import { custom, integer, number, object } from './fields.ts';
import { declareKind, defineKind, type KindOf, mappingUnlessEmpty } from './kind.ts';
import { INPUT_MAPPING, OUTPUT } from './shared-fields.ts';

const MODES = ['sync', 'streaming', 'conversational'] as const;
type Mode = (typeof MODES)[number];

type WrittenAgent = string | { readonly explicit: string } | { readonly auto: true };
type WrittenMode = Mode | { readonly conversational: { readonly max_turns?: number; readonly max_tokens_per_turn?: number } };

const AGENT_TOOL = declareKind({
  type: 'agent_tool',
  description: 'Calls a remote agent as a tool. The runtime does it itself.',
  fields: {
    agent: custom(
      {
        schema: Type.String(),
        document: Type.Unsafe<WrittenAgent>({
          type: ['string', 'object'],
          description:
            'The agent: a URL, an entry of `remote_agents`, or the id of a registered agent; may hold templates. Also `{explicit: …}`, which may be a path such as `state.agent`; or `auto`: the one that a coordinator has chosen, in `state._selected_agent_ID`.',
        }),
        read: readAgent,
      },
      { required: true, spellings: ['agent', 'agent_url', 'agent_uri', 'agent_ref'] },
    ),
    mode: custom(
      {
        schema: Type.Enum([...MODES]),
        document: Type.Unsafe<WrittenMode>({
          type: ['string', 'object'],
          description:
            '`sync`, `streaming`, `conversational`, or `{conversational: {max_turns, max_tokens_per_turn}}`. Default: `sync`.',
        }),
        read: readMode,
      },
      { default: 'sync', distinctive: true },
    ),
    max_turns: ofConversation(integer('`conversational`: turns at most. Default: 5.', { minimum: 1, distinctive: true })),
    max_tokens_per_turn: ofConversation(
      integer('`conversational`: tokens of one turn at most, as the agent reports them.', { minimum: 1 }),
    ),
    input_mapping: INPUT_MAPPING,
    timeout_ms: integer('Milliseconds for the whole call. Default: the time limit of the node.', { minimum: 1 }),
    budget: object(
      'What one call may cost, as the agent reports it. More than that ends the call. Default: no limit.',
      {
        max_cost_usd: number('US dollars that the agent may report.', { minimum: 0 }),
        max_tokens: integer('Tokens that the agent may report.', { minimum: 1 }),
      },
      { distinctive: true },
    ),
    ...OUTPUT,
  },
});
export type AgentTool = KindOf<typeof AGENT_TOOL>;

export const agentTool = defineKind(AGENT_TOOL, {
  queue: () => 'general',
  policyNames: ({ agent }) => [agent],
  remoteAgent: (kind) => kind.agent,
  mapping: ({ agent, input_mapping }) => ({ agent, input_mapping: mappingUnlessEmpty(input_mapping) ?? '{{ state }}' }),
  mappingKey: null,
  payload: ({ agent, mode }, input) => ({ agent, mode, input }),
  letter: 't',
});

/** A path of the state stands for what is there. */
function readAgent(fields: Fields, key: string): string {
  const given = fields.json(key);
  const named = isObject(given) ? (given.explicit ?? (given.auto === undefined ? undefined : 'auto')) : given;
  if (named === 'auto') return `{{ state[${JSON.stringify(`_selected_agent_${fields.location.node_id ?? ''}`)}] }}`;
  if (typeof named === 'string' && named !== '') return /^(?:state|input|output)(?:\.|\[)/.test(named) ? `{{ ${named} }}` : named;
  if (given === undefined) fields.error('missing_key', key, 'is required');
  else fields.error('wrong_type', key, 'must be text, {"explicit": "…"} or "auto"');
  return '';
}

/** `"streaming"`, `{"conversational": {…}}` */
function modeIn(given: Json | undefined): Mode | undefined {
  const name = isObject(given) ? Object.keys(given)[0] : given;
  return MODES.find((known) => known === name);
}

function readMode(fields: Fields, key: string): Mode | undefined {
  const given = fields.json(key);
  const mode = modeIn(given);
  if (given !== undefined && mode === undefined)
    fields.error('wrong_type', key, `must be one of ${MODES.map((known) => `"${known}"`).join(', ')}`);
  return mode;
}

/** A limit of the mode `conversational`, written in `mode` or beside it. */
function ofConversation<O>(field: Field<number, number, O>): Field<number, number, O> {
  const read: typeof field.read = (fields, key, defaults) => {
    const mode = fields.json('mode') ?? 'sync';
    if (modeIn(mode) !== 'conversational') return undefined;
    const settings = (isObject(mode) ? mode.conversational : null) ?? null;
    return field.read(isObject(settings) ? fields.inside('mode.conversational', settings) : fields, key, defaults);
  };
  return { ...field, read };
}
