import { type Static, Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import { AGENT_STATUSES } from '../../../store/port/resources/agents.ts';
import { AUTONOMY, type Capabilities } from '../../control/agents/card.ts';
import { AnyObject, Labels, Limit, Name, Offset, optional, Timestamp } from './fields.ts';

const Text = Type.String({ maxLength: 4_096 });
const Texts = Type.Array(Text, { maxItems: 1_000 });
/** JSON Schema as an object, or as the JSON text of one. */
const SkillSchema = optional(Type.Union([AnyObject, Type.String()]));
const LATENCY = ['realtime', 'fast', 'medium', 'slow'] as const;
const COST = ['free', 'low', 'medium', 'high'] as const;

const SkillInput = Type.Object({
  id: optional(Text),
  name: optional(Text),
  description: optional(Text),
  input_schema: SkillSchema,
  output_schema: SkillSchema,
});

/** What a card may hold; more is kept as it is. */
const AgentCardInput = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** Where the agent is; `url`, as A2A calls it, does too. */
  uri: optional(Text),
  description: optional(Type.String({ maxLength: 32_768 })),
  version: optional(Text),
  capabilities: optional(
    Type.Object({
      /** A text is the name of a skill. */
      skills: optional(Type.Array(Type.Union([SkillInput, Text]), { maxItems: 1_000 })),
      protocols: optional(Texts),
      tools_provided: optional(Texts),
      tools_consumed: optional(Texts),
    }),
  ),
  autonomy: optional(Type.Enum(AUTONOMY)),
  constraints: optional(AnyObject),
  auth: optional(Type.Object({ type: Type.String(), scopes: optional(Texts), header: optional(Text) })),
  latency_class: optional(Type.Enum(LATENCY)),
  cost_class: optional(Type.Enum(COST)),
  reasoning_modes: optional(Texts),
  labels: optional(Labels),
});
export type AgentCardInput = Static<typeof AgentCardInput>;
export const RegisterAgent = Type.Unsafe<JsonObject>(AgentCardInput);

export const DiscoverAgent = Type.Object({ url: Type.String({ minLength: 1, maxLength: 2_048 }) });

const Skill = Type.Object(
  {
    /** The same as `name` when the card gives none. */
    id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    input_schema: SkillSchema,
    output_schema: SkillSchema,
  },
  { additionalProperties: true },
);

export const Agent = Type.Object({
  /** As in the card. */
  id: Type.String(),
  /** The same as `id`. */
  agent_id: Type.String(),
  /** Made when the agent was first registered; paths take it instead of the id. */
  uuid: Type.String(),
  uri: Type.String(),
  name: Type.String(),
  description: Type.String(),
  version: Type.String(),
  capabilities: Type.Unsafe<Capabilities>(
    Type.Object(
      {
        skills: Type.Array(Skill),
        protocols: Type.Array(Type.String()),
        tools_provided: Type.Array(Type.String()),
        tools_consumed: Type.Array(Type.String()),
      },
      { additionalProperties: true },
    ),
  ),
  autonomy: Type.Enum(AUTONOMY),
  constraints: Type.Union([AnyObject, Type.Null()]),
  auth: AnyObject,
  latency_class: Type.Union([Type.String(), Type.Null()]),
  cost_class: Type.Union([Type.String(), Type.Null()]),
  reasoning_modes: Type.Unsafe<readonly string[]>(Type.Array(Type.String())),
  labels: Type.Record(Type.String(), Type.String()),
  /** The whole card: the fields above, and what else it says. */
  card: AnyObject,
  status: Type.Enum(AGENT_STATUSES),
  /** Active, has sent heartbeats, and none for 90 seconds. */
  stale: Type.Boolean(),
  registered_at: Timestamp,
  updated_at: Timestamp,
  /** Null: it never sent one. */
  last_heartbeat: Type.Union([Timestamp, Type.Null()]),
});
export type Agent = Static<typeof Agent>;

export const AgentsQuery = Type.Object({
  status: Type.Optional(Type.Enum(AGENT_STATUSES)),
  /** By name or id, whatever the case. */
  skill: Type.Optional(Name),
  protocol: Type.Optional(Name),
  limit: Type.Optional(Limit),
  offset: Type.Optional(Offset),
});
export type AgentsQuery = Static<typeof AgentsQuery>;

export const AgentSearch = Type.Object({
  /** Separated by commas; an agent must have all of them. */
  skills: Type.Optional(Type.String({ maxLength: 4_096 })),
  /** The label `trust_domain`. */
  trust_domain: Type.Optional(Name),
  limit: Type.Optional(Limit),
  offset: Type.Optional(Offset),
});
export type AgentSearch = Static<typeof AgentSearch>;

export const AgentList = Type.Object({ agents: Type.Array(Agent), limit: Type.Integer(), offset: Type.Integer() });
export type AgentList = Static<typeof AgentList>;

export const AgentMoved = Type.Object({ agent_id: Type.String(), status: Type.Enum(AGENT_STATUSES) });
export type AgentMoved = Static<typeof AgentMoved>;

export const AgentAlive = Type.Object({ agent_id: Type.String(), ok: Type.Literal(true) });
export type AgentAlive = Static<typeof AgentAlive>;

export const AgentTraceQuery = Type.Object({ limit: Type.Optional(Limit) });

export const AgentTrace = Type.Object({
  agent_id: Type.String(),
  events: Type.Array(
    Type.Object({
      timestamp: Timestamp,
      /** `inbound`: done to the agent; `outbound`: done by it. */
      direction: Type.Enum(['inbound', 'outbound'] as const),
      event_type: Type.String(),
      summary: Type.String(),
      actor_id: Type.String(),
      execution_id: Type.Optional(Type.String()),
      node_id: Type.Optional(Type.String()),
    }),
  ),
});
export type AgentTrace = Static<typeof AgentTrace>;
