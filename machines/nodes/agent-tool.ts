import { type Static, Type } from 'typebox';
import { isObject, type Json } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { INPUT_MAPPING, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const MODES = ['sync', 'streaming', 'conversational'] as const;

const Budget = Type.Object(
  {
    max_cost_usd: Type.Optional(Type.Number({ minimum: 0, description: 'US dollars that the agent may report.' })),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, description: 'Tokens that the agent may report.' })),
  },
  { description: 'What one call may cost, as the agent reports it. More than that ends the call. Default: no limit.' },
);

export const AgentTool = Type.Object(
  {
    type: Type.Literal('agent_tool'),
    agent: Type.String({
      description: 'The agent: a URL, an entry of `remote_agents`, or the id of a registered agent; may hold templates.',
    }),
    mode: Type.Enum(MODES, {
      description:
        '`sync`: one message, one result. `streaming`: its output is shown while it comes. `conversational`: several turns. Default: `sync`.',
    }),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, description: '`conversational`: turns at most. Default: 5.' })),
    max_tokens_per_turn: Type.Optional(
      Type.Integer({ minimum: 1, description: '`conversational`: tokens of one turn at most, as the agent reports them.' }),
    ),
    input_mapping: INPUT_MAPPING,
    timeout_ms: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Milliseconds for the whole call. Default: the time limit of the node.' }),
    ),
    budget: Type.Optional(Budget),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Calls a remote agent as a tool. The runtime does it itself.' },
);
export type AgentTool = Static<typeof AgentTool>;

export const agentTool: KindDefinition<AgentTool> = defineKind<AgentTool>({
  type: 'agent_tool',
  schema: AgentTool,
  normalise: (fields) => ({
    type: 'agent_tool',
    agent: readAgent(fields),
    ...readMode(fields),
    input_mapping: fields.mapping('input_mapping'),
    ...optional('timeout_ms', fields.integer(['timeout_ms'], 1)),
    ...optional('budget', readBudget(fields)),
    ...readOutputFields(fields),
  }),
  aliases: { agent: ['agent_url', 'agent_uri', 'agent_ref'], input_mapping: ['input', 'arguments'] },
  requiredKeys: ['agent'],
  documentProperties: {
    agent: Type.Unsafe<Json>({
      type: ['string', 'object'],
      description:
        'The agent: a URL, an entry of `remote_agents`, or the id of a registered agent; may hold templates. Also `{explicit: …}`, which may be a path such as `state.agent`; or `auto`: the one that a coordinator has chosen, in `state._selected_agent_ID`.',
    }),
    mode: Type.Unsafe<Json>({
      type: ['string', 'object'],
      description:
        '`sync`, `streaming`, `conversational`, or `{conversational: {max_turns, max_tokens_per_turn}}`. Default: `sync`.',
    }),
  },
  distinctiveKeys: ['mode', 'budget', 'max_turns'],
  queue: () => 'general',
  policyNames: ({ agent }) => [agent],
  remoteAgent: (kind) => kind.agent,
  mapping: ({ agent, input_mapping }) => ({ agent, input_mapping: mappingUnlessEmpty(input_mapping) ?? '{{ state }}' }),
  mappingKey: null,
  payload: ({ agent, mode }, input) => ({ agent, mode, input }),
  syntax: {
    keys: {
      agent: { holds: 'json', spellings: ['agent', 'agent_url', 'agent_uri', 'agent_ref'] },
      mode: { holds: 'json' },
      max_turns: { holds: 'json' },
      max_tokens_per_turn: { holds: 'json' },
      input_mapping: { holds: 'json', spellings: ['input', 'arguments'] },
      timeout_ms: { holds: 'json' },
      budget: { holds: 'json' },
      ...OUTPUT_SYNTAX,
    },
  },
  letter: 't',
});

/** A path of the state stands for what is there. */
function readAgent(fields: Fields): string {
  const given = fields.json('agent');
  const named = isObject(given) ? (given.explicit ?? (given.auto === undefined ? undefined : 'auto')) : given;
  if (named === 'auto') return `{{ state[${JSON.stringify(`_selected_agent_${fields.location.node_id ?? ''}`)}] }}`;
  if (typeof named === 'string' && named !== '') return /^(?:state|input|output)(?:\.|\[)/.test(named) ? `{{ ${named} }}` : named;
  if (given === undefined) fields.error('missing_key', 'agent', 'is required');
  else fields.error('wrong_type', 'agent', 'must be text, {"explicit": "…"} or "auto"');
  return '';
}

function readMode(fields: Fields): Pick<AgentTool, 'mode' | 'max_turns' | 'max_tokens_per_turn'> {
  const given = fields.json('mode') ?? 'sync';
  const name = isObject(given) ? Object.keys(given)[0] : given;
  const mode = MODES.find((known) => known === name);
  if (mode === undefined) {
    fields.error('wrong_type', 'mode', `must be one of ${MODES.map((known) => `"${known}"`).join(', ')}`);
    return { mode: 'sync' };
  }
  const settings = isObject(given) ? given[mode] : null;
  const inside = isObject(settings ?? null) ? fields.inside(`mode.${mode}`, settings as Record<string, Json>) : fields;
  if (mode !== 'conversational') return { mode };
  return {
    mode,
    ...optional('max_turns', inside.integer(['max_turns'], 1)),
    ...optional('max_tokens_per_turn', inside.integer(['max_tokens_per_turn'], 1)),
  };
}

function readBudget(fields: Fields): AgentTool['budget'] | undefined {
  const given = fields.object('budget');
  if (given === undefined) return undefined;
  const budget = fields.inside('budget', given);
  return {
    ...optional('max_cost_usd', budget.number(['max_cost_usd'], 0)),
    ...optional('max_tokens', budget.integer(['max_tokens'], 1)),
  };
}
