import type { JsonObject } from '../../../machines/json.ts';
import type { AgentStatus, AgentTraceRow } from '../../../store/port/resources/agents.ts';
import type { AgentView } from '../../control/agents/agents.ts';
import { AGENT_TRACE_PAGE, AGENTS, AGENTS_PAGE, type Agent } from '../operations/agents.ts';
import { Verbatim } from '../operations/codec.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import type { Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';
import { type CallTo, implement } from './implement.ts';

export const agentRoutes = implement(AGENTS, {
  'POST /agents': async ({ json, context, reply }, { control: { agents } }) => {
    const { agent, created } = await agents.register(json as JsonObject, context);
    if (!created) void reply.code(200);
    return shown(agent);
  },

  'POST /agents/discover': async ({ body, context }, { control: { agents } }) => shown(await agents.discover(body.url, context)),

  'GET /agents': ({ query, tenantId }, { control: { agents } }) => {
    const { status, skill, protocol } = query;
    const wanted = {
      ...defined('status', status),
      ...defined('protocol', protocol),
      ...defined('skills', skill === undefined ? null : [skill]),
    };
    const page = pageOf(query);
    return { agents: eachShown(agents.list(tenantId, wanted, page)), ...page };
  },

  'GET /agents/search': ({ query: { skills = '', trustDomain, ...asked }, tenantId }, { control: { agents } }) => {
    const wanted = skills.split(',').map((skill) => skill.trim());
    const query = { skills: wanted.filter((skill) => skill !== ''), ...defined('trustDomain', trustDomain) };
    const page = pageOf(asked);
    return { agents: eachShown(agents.list(tenantId, query, page)), ...page };
  },

  'GET /agents/:id': async ({ params, tenantId }, { control: { agents } }) => shown(await agents.get(tenantId, params.id)),

  'POST /agents/:id/activate': statusChange('active'),
  'POST /agents/:id/pause': statusChange('paused'),
  'POST /agents/:id/deactivate': statusChange('deactivated'),
  'POST /agents/:id/archive': statusChange('archived'),

  'POST /agents/:id/heartbeat': async ({ params, tenantId }, { control: { agents } }) => ({
    agentId: await agents.heartbeat(tenantId, params.id),
    ok: true as const,
  }),

  'GET /agents/:id/trace': async ({ params, query, tenantId }, { control: { agents } }) => {
    const { agentId, rows } = await agents.trace(tenantId, params.id, limitOf(query.limit, AGENT_TRACE_PAGE));
    return { agentId, events: rows.map(shownEvent) };
  },
});

function statusChange(status: AgentStatus) {
  return async ({ params, context }: CallTo<typeof AGENTS, 'POST /agents/:id/activate'>, { control }: Services) => {
    const { card } = await control.agents.setStatus(status, params.id, context);
    return { agentId: card.id, status };
  };
}

function pageOf({ limit, offset = 0 }: { readonly limit?: number; readonly offset?: number }) {
  return { limit: limitOf(limit, AGENTS_PAGE), offset };
}

async function* eachShown(views: AsyncIterable<AgentView>) {
  for await (const view of views) yield shown(view);
}

/** Contains the fields of the card at the top level and the card itself, and the id under both of its names, for clients of either form. */
function shown({ card, ...view }: AgentView) {
  return new Verbatim({
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
  } satisfies Agent);
}

function shownEvent(row: AgentTraceRow) {
  const what = row.type.replaceAll('_', ' ');
  const where = row.executionId === null ? '' : ` ${row.nodeId === null ? '' : `${row.nodeId} `}in ${row.executionId}`;
  const isInbound = row.direction === 'in';
  return {
    ...row,
    timestamp: timestamp(row.atMs),
    direction: isInbound ? ('inbound' as const) : ('outbound' as const),
    eventType: row.type,
    summary: isInbound ? `${what} by ${row.actorId}` : `${what}${where}`,
  };
}
