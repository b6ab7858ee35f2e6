import type { AgentStatus, AgentTraceRow } from '../../../store/port/resources/agents.ts';
import type { AgentQuery, AgentView } from '../../control/agents/agents.ts';
import { sendList } from '../replies/json-list.ts';
import {
  AGENT_TRACE_PAGE,
  AGENTS_PAGE,
  Agent,
  AgentById,
  AgentHeartbeat,
  AgentList,
  AgentSearch,
  AgentStatusChange,
  AgentsQuery,
  AgentTrace,
  AgentTraceQuery,
  DiscoverAgent,
  RegisterAgent,
} from '../schemas/agents.ts';
import { ApiErrorBody } from '../schemas/errors.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, actionContext, identityOf, type Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const TRANSITIONS: readonly { readonly verb: string; readonly status: AgentStatus; readonly description: string }[] = [
  { verb: 'activate', status: 'active', description: 'From `registered` or `paused`; no effect on an active agent.' },
  {
    verb: 'pause',
    status: 'paused',
    description: 'From `active`. A paused agent stays registered and is not offered to other runtimes.',
  },
  {
    verb: 'deactivate',
    status: 'deactivated',
    description: 'From `active` or `paused`. Registering the agent again reverts it.',
  },
  { verb: 'archive', status: 'archived', description: 'From `deactivated`. Registering the agent again reverts it.' },
];

const tags = ['Agents'];

export function agentRoutes(app: Api, { control: { agents }, nowMs }: Services): void {
  app.post(
    '/agents',
    {
      config: { access: 'write', addsStorage: true },
      schema: {
        summary: 'Register an agent',
        description: 'The body is the card of the agent. Registering the same id again replaces the card and returns 200.',
        tags,
        operationId: 'registerAgent',
        body: RegisterAgent,
        response: { 200: Agent, 201: Agent },
      },
    },
    async (request, reply) => {
      const { agent, created } = await agents.register(request.body, actionContext(request, nowMs()));
      void reply.code(created ? 201 : 200);
      return toAgent(agent);
    },
  );

  app.post(
    '/agents/discover',
    {
      config: { access: 'write', addsStorage: true },
      schema: {
        summary: 'Register an agent by its URL',
        description:
          'Fetches the card from `/.well-known/agent.json` or `/.well-known/agent-card.json` below the URL, or from the URL itself.',
        tags,
        operationId: 'discoverAgent',
        body: DiscoverAgent,
        response: { 201: Agent, 502: ApiErrorBody },
      },
    },
    async (request, reply) => {
      const agent = await agents.discover(request.body.url, actionContext(request, nowMs()));
      void reply.code(201);
      return toAgent(agent);
    },
  );

  app.get(
    '/agents',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List agents, most recently registered first',
        tags,
        operationId: 'listAgents',
        querystring: AgentsQuery,
        response: { 200: AgentList },
      },
    },
    async (request, reply) => {
      const { status, skill, protocol, ...page } = request.query;
      const query = {
        ...defined('status', status),
        ...defined('protocol', protocol),
        ...defined('skills', skill === undefined ? null : [skill]),
      };
      return sendList(reply, 'agents', ...listArguments(identityOf(request).tenantId, query, page));
    },
  );

  app.get(
    '/agents/search',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Find agents by skills',
        tags,
        operationId: 'searchAgents',
        querystring: AgentSearch,
        response: { 200: AgentList },
      },
    },
    async (request, reply) => {
      const { skills = '', trust_domain, ...page } = request.query;
      const wanted = skills.split(',').map((skill) => skill.trim());
      const query = { skills: wanted.filter((skill) => skill !== ''), ...defined('trustDomain', trust_domain) };
      return sendList(reply, 'agents', ...listArguments(identityOf(request).tenantId, query, page));
    },
  );

  app.get(
    '/agents/:id',
    {
      config: { access: 'read' },
      schema: { summary: 'Get an agent', tags, operationId: 'getAgent', params: AgentById, response: { 200: Agent } },
    },
    async (request) => toAgent(await agents.get(identityOf(request).tenantId, request.params.id)),
  );

  for (const { verb, status, description } of TRANSITIONS) {
    app.post(
      `/agents/:id/${verb}`,
      {
        config: { access: 'write' },
        schema: {
          summary: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} an agent`,
          description,
          tags,
          operationId: `${verb}Agent`,
          params: AgentById,
          response: { 200: AgentStatusChange },
        },
      },
      async (request) => {
        const { card } = await agents.setStatus(status, request.params.id, actionContext(request, nowMs()));
        return { agent_id: card.id, status };
      },
    );
  }

  app.post(
    '/agents/:id/heartbeat',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Send a heartbeat of an agent',
        description: 'Expected every 30 seconds. An active agent without a heartbeat for 90 seconds is shown as `stale`.',
        tags,
        operationId: 'agentHeartbeat',
        params: AgentById,
        response: { 200: AgentHeartbeat },
      },
    },
    async (request) => ({
      agent_id: await agents.heartbeat(identityOf(request).tenantId, request.params.id),
      ok: true as const,
    }),
  );

  app.get(
    '/agents/:id/trace',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the history of an agent, newest first',
        description: 'What was done to the agent, and what tokens and workers named `agent:<id>` did.',
        tags,
        operationId: 'traceAgent',
        params: AgentById,
        querystring: AgentTraceQuery,
        response: { 200: AgentTrace },
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit, AGENT_TRACE_PAGE);
      const { agentId, rows } = await agents.trace(identityOf(request).tenantId, request.params.id, limit);
      return { agent_id: agentId, events: rows.map(toTraceEvent) };
    },
  );

  /** The arguments of `sendList` after the key. */
  function listArguments(tenantId: string, query: AgentQuery, asked: { readonly limit?: number; readonly offset?: number }) {
    const page = { limit: limitOf(asked.limit, AGENTS_PAGE), offset: asked.offset ?? 0 };
    return [toAgents(agents.list(tenantId, query, page)), page] as const;
  }
}

async function* toAgents(views: AsyncIterable<AgentView>): AsyncGenerator<Agent> {
  for await (const view of views) yield toAgent(view);
}

/** Contains the fields of the card at the top level and the card itself, and the id under both of its names, for clients of either form. */
function toAgent({ card, ...view }: AgentView): Agent {
  return {
    id: card.id,
    agent_id: card.id,
    uuid: view.uuid,
    uri: card.uri,
    name: card.name,
    description: card.description,
    version: card.version,
    capabilities: card.capabilities,
    autonomy: card.autonomy,
    constraints: card.constraints,
    auth: card.auth,
    latency_class: card.latency_class,
    cost_class: card.cost_class,
    reasoning_modes: card.reasoning_modes,
    labels: card.labels,
    card,
    status: view.status,
    stale: view.stale,
    registered_at: timestamp(view.registeredAtMs),
    updated_at: timestamp(view.updatedAtMs),
    last_heartbeat: timeOrNull(view.lastHeartbeatAtMs),
  };
}

function toTraceEvent(row: AgentTraceRow): AgentTrace['events'][number] {
  const what = row.type.replaceAll('_', ' ');
  const where = row.executionId === null ? '' : ` ${row.nodeId === null ? '' : `${row.nodeId} `}in ${row.executionId}`;
  return {
    timestamp: timestamp(row.atMs),
    direction: row.direction === 'in' ? 'inbound' : 'outbound',
    event_type: row.type,
    summary: row.direction === 'in' ? `${what} by ${row.actorId}` : `${what}${where}`,
    actor_id: row.actorId,
    ...defined('execution_id', row.executionId),
    ...defined('node_id', row.nodeId),
  };
}
