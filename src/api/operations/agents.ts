import { type Static, Type } from 'typebox';
import { AGENT_STATUSES } from '../../../store/port/resources/agents.ts';
import { AUTONOMY, type Capabilities } from '../../control/agents/card.ts';
import { ApiErrorBody } from '../schemas/errors.ts';
import {
  anyObject,
  appliedLimit,
  appliedOffset,
  byId,
  flag,
  Labels,
  limit,
  listOf,
  name,
  nullable,
  offset,
  optional,
  text,
  timestamp,
} from '../schemas/fields.ts';
import type { Operation, Resource } from './operation.ts';

/** Agents are few: a client that does not ask for pages gets them all. */
function statusChange(verb: string, description: string) {
  const summary = `${verb.charAt(0).toUpperCase()}${verb.slice(1)} an agent`;
  return {
    id: `${verb}Agent`,
    access: 'write',
    summary,
    description,
    params: ById,
    reply: AgentStatusChange,
  } satisfies Operation;
}

export const AGENTS_PAGE = { defaultLimit: 100, maxLimit: 1_000 };
export const AGENT_TRACE_PAGE = { defaultLimit: 50, maxLimit: 200 };

const Text = Type.String({ maxLength: 4_096 });
const Texts = Type.Array(Text, { maxItems: 1_000 });
const SkillSchema = Type.Union([anyObject('JSON Schema.'), Type.String({ description: 'JSON Schema as text.' })]);
const LATENCY = ['realtime', 'fast', 'medium', 'slow'] as const;
const COST = ['free', 'low', 'medium', 'high'] as const;

const inputSchema = optional(SkillSchema, 'JSON Schema of the input, as an object or as JSON text.');
const outputSchema = optional(SkillSchema, 'JSON Schema of the output, as an object or as JSON text.');

export const AgentSkillInput = Type.Object(
  {
    id: optional(Text, 'Id of the skill. Default: its name.'),
    name: optional(Text, 'Name of the skill. Default: its id.'),
    description: optional(Text, 'What the skill does.'),
    input_schema: inputSchema,
    output_schema: outputSchema,
  },
  { additionalProperties: true, description: 'A skill of an agent that is registered. Other fields are kept.' },
);

export const AgentCapabilitiesInput = Type.Object(
  {
    skills: optional(
      Type.Array(Type.Union([AgentSkillInput, Type.String({ maxLength: 4_096, description: 'Name of a skill.' })]), {
        maxItems: 1_000,
      }),
      'What the agent can do. A string is the name of a skill.',
    ),
    protocols: optional(Texts, 'Protocols the agent speaks: `mcp`, `a2a`, `anp`.'),
    tools_provided: optional(Texts, 'Names of the tools the agent offers.'),
    tools_consumed: optional(Texts, 'Names of the tools the agent uses.'),
  },
  { additionalProperties: true, description: 'What an agent that is registered can do. Other fields are kept.' },
);

export const AgentAuthInput = Type.Object(
  {
    type: text('`none`, `bearer_token` or `api_key`.'),
    scopes: optional(Texts, 'Scopes a bearer token needs.'),
    header: optional(Text, 'Header that carries the API key.'),
  },
  { additionalProperties: true, description: 'How to authenticate at an agent. Other fields are kept.' },
);

const AgentCardInput = Type.Object(
  {
    id: text('Id of the agent, unique within the tenant.'),
    name: text('Name of the agent, for people.'),
    uri: optional(Text, 'URL of the agent. `url`, as in A2A cards, is accepted too.'),
    description: optional(Type.String({ maxLength: 32_768 }), 'What the agent does.'),
    version: optional(Text, 'Version of the agent.'),
    capabilities: optional(AgentCapabilitiesInput, 'What the agent can do.'),
    autonomy: optional(Type.Enum(AUTONOMY), 'How freely the agent acts. Default `guided`.'),
    constraints: optional(anyObject('Limits by name.'), 'Limits of what the agent may do, such as `max_iterations`.'),
    auth: optional(AgentAuthInput, 'How to authenticate at the agent. Default: no authentication.'),
    latency_class: optional(Type.Enum(LATENCY), 'How fast the agent usually answers.'),
    cost_class: optional(Type.Enum(COST), 'How expensive the agent is.'),
    reasoning_modes: optional(Texts, 'Reasoning strategies the agent supports.'),
    labels: optional(Labels, 'Labels; `trust_domain` is used by searches.'),
  },
  { additionalProperties: true, description: 'The card of an agent. Other fields are kept and returned in `card`.' },
);
/** The card of an agent to register. */
export type AgentCardInput = Static<typeof AgentCardInput>;
export const RegisterAgent = Type.Unsafe<AgentCardInput>(AgentCardInput);

export const DiscoverAgent = Type.Object(
  { url: text('URL of the agent or of its card.', { minLength: 1, maxLength: 2_048 }) },
  { description: 'Where to find the card of an agent.' },
);

export const AgentSkill = Type.Object(
  {
    id: text('Id of the skill; its name if the card gives none.'),
    name: text('Name of the skill.'),
    description: text('What the skill does; may be empty.'),
    input_schema: inputSchema,
    output_schema: outputSchema,
  },
  { additionalProperties: true, description: 'A skill of an agent.' },
);

export const AgentCapabilities = Type.Unsafe<Capabilities>(
  Type.Object(
    {
      skills: listOf(AgentSkill, 'What the agent can do.'),
      protocols: listOf(Type.String(), 'Protocols the agent speaks.'),
      tools_provided: listOf(Type.String(), 'Names of the tools the agent offers.'),
      tools_consumed: listOf(Type.String(), 'Names of the tools the agent uses.'),
    },
    { additionalProperties: true, description: 'What an agent can do.' },
  ),
);

export const Agent = Type.Object(
  {
    id: text('Id of the agent, as in its card.'),
    agent_id: text('The same as `id`.'),
    uuid: text('UUID given at the first registration. Paths accept it in place of the id.'),
    uri: text('URL of the agent.'),
    name: text('Name of the agent.'),
    description: text('What the agent does; may be empty.'),
    version: text('Version of the agent; may be empty.'),
    capabilities: AgentCapabilities,
    autonomy: Type.Enum(AUTONOMY, { description: 'How freely the agent acts.' }),
    constraints: nullable(anyObject('Limits by name.'), 'Limits of what the agent may do; null if the card has none.'),
    auth: anyObject('How to authenticate at the agent: `type`, and what belongs to it.'),
    latency_class: nullable(Type.String(), 'How fast the agent usually answers; null if unknown.'),
    cost_class: nullable(Type.String(), 'How expensive the agent is; null if unknown.'),
    reasoning_modes: Type.Unsafe<readonly string[]>(listOf(Type.String(), 'Reasoning strategies the agent supports.')),
    labels: Type.Record(Type.String(), Type.String(), { description: 'Labels of the card.' }),
    card: anyObject('The whole card, fields of other systems included.'),
    status: Type.Enum(AGENT_STATUSES, { description: 'Where the agent is in its life cycle.' }),
    stale: flag('True if the agent is active and has sent heartbeats, but none in the last 90 seconds.'),
    registered_at: timestamp('When the agent was first registered.'),
    updated_at: timestamp('When its card or status last changed.'),
    last_heartbeat: nullable(timestamp('Time of a heartbeat.'), 'When the agent last sent a heartbeat; null if never.'),
  },
  { description: 'A registered agent.' },
);
export type Agent = Static<typeof Agent>;

const ById = byId('Id or UUID of the agent.');

export const AgentsQuery = Type.Object({
  status: Type.Optional(Type.Enum(AGENT_STATUSES, { description: 'Only agents with this status.' })),
  skill: Type.Optional(name('Only agents with this skill, by its name or id, in any case.')),
  protocol: Type.Optional(name('Only agents that speak this protocol: `mcp`, `a2a`, `anp`.')),
  limit: limit(AGENTS_PAGE),
  offset,
});
/** Which agents are listed. */
export type AgentsQuery = Static<typeof AgentsQuery>;

export const AgentSearch = Type.Object({
  skills: Type.Optional(
    text('Skills separated by commas. Only agents that have all of them are returned.', { maxLength: 4_096 }),
  ),
  trust_domain: Type.Optional(name('Only agents whose label `trust_domain` has this value.')),
  limit: limit(AGENTS_PAGE),
  offset,
});
/** Which skills agents are searched by. */
export type AgentSearch = Static<typeof AgentSearch>;

export const AgentList = Type.Object(
  {
    agents: listOf(Agent, 'Most recently registered first.'),
    limit: appliedLimit,
    offset: appliedOffset,
  },
  { description: 'A page of agents.' },
);
export type AgentList = Static<typeof AgentList>;

export const AgentStatusChange = Type.Object(
  {
    agent_id: text('Id of the agent.'),
    status: Type.Enum(AGENT_STATUSES, { description: 'Its status from now on.' }),
  },
  { description: 'The status of an agent after a change.' },
);
export type AgentStatusChange = Static<typeof AgentStatusChange>;

export const AgentHeartbeat = Type.Object(
  { agent_id: text('Id of the agent.'), ok: Type.Literal(true, { description: 'Always true.' }) },
  { description: 'A heartbeat was recorded.' },
);
export type AgentHeartbeat = Static<typeof AgentHeartbeat>;

const AgentTraceQuery = Type.Object({ limit: limit(AGENT_TRACE_PAGE) });

export const AgentTraceEvent = Type.Object(
  {
    timestamp: timestamp('When it happened.'),
    direction: Type.Enum(['inbound', 'outbound'] as const, {
      description: '`inbound`: done to the agent; `outbound`: done by the agent.',
    }),
    event_type: text('Type of the event, in snake_case.'),
    summary: text('One line for people.'),
    actor_id: text('Name of the token or worker that acted.'),
    execution_id: Type.Optional(text('Execution in which it happened; absent for changes of the agent itself.')),
    node_id: Type.Optional(text('Node at which it happened; absent if it concerns no node.')),
  },
  { description: 'Something an agent did, or that was done to it.' },
);

export const AgentTrace = Type.Object(
  {
    agent_id: text('Id of the agent.'),
    events: listOf(AgentTraceEvent, 'Newest first.'),
  },
  { description: 'What is on record about an agent.' },
);
export type AgentTrace = Static<typeof AgentTrace>;

export const AGENTS = {
  tag: 'Agents',
  operations: {
    'POST /agents': {
      id: 'registerAgent',
      access: 'write',
      addsStorage: true,
      summary: 'Register an agent',
      description: 'The body is the card of the agent. Registering the same id again replaces the card and returns 200.',
      body: RegisterAgent,
      status: 201,
      reply: Agent,
      otherReplies: { 200: Agent },
    },
    'POST /agents/discover': {
      id: 'discoverAgent',
      access: 'write',
      addsStorage: true,
      summary: 'Register an agent by its URL',
      description:
        'Fetches the card from `/.well-known/agent.json` or `/.well-known/agent-card.json` below the URL, or from the URL itself.',
      body: DiscoverAgent,
      status: 201,
      reply: Agent,
      otherReplies: { 502: ApiErrorBody },
    },
    'GET /agents': {
      id: 'listAgents',
      access: 'read',
      summary: 'List agents, most recently registered first',
      query: AgentsQuery,
      reply: AgentList,
    },
    'GET /agents/search': {
      id: 'searchAgents',
      access: 'read',
      summary: 'Find agents by skills',
      query: AgentSearch,
      reply: AgentList,
    },
    'GET /agents/:id': { id: 'getAgent', access: 'read', summary: 'Get an agent', params: ById, reply: Agent },
    'POST /agents/:id/activate': statusChange('activate', 'From `registered` or `paused`; no effect on an active agent.'),
    'POST /agents/:id/pause': statusChange(
      'pause',
      'From `active`. A paused agent stays registered and is not offered to other runtimes.',
    ),
    'POST /agents/:id/deactivate': statusChange(
      'deactivate',
      'From `active` or `paused`. Registering the agent again reverts it.',
    ),
    'POST /agents/:id/archive': statusChange('archive', 'From `deactivated`. Registering the agent again reverts it.'),
    'POST /agents/:id/heartbeat': {
      id: 'agentHeartbeat',
      access: 'write',
      summary: 'Send a heartbeat of an agent',
      description: 'Expected every 30 seconds. An active agent without a heartbeat for 90 seconds is shown as `stale`.',
      params: ById,
      reply: AgentHeartbeat,
    },
    'GET /agents/:id/trace': {
      id: 'traceAgent',
      access: 'read',
      summary: 'List the history of an agent, newest first',
      description: 'What was done to the agent, and what tokens and workers named `agent:<id>` did.',
      params: ById,
      query: AgentTraceQuery,
      reply: AgentTrace,
    },
  },
} satisfies Resource;
