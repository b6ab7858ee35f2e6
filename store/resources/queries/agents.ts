import type { LogEntry } from '../../log/entry.ts';
import type { AgentOutcomesRow, AgentRow, TraceRow } from '../../port/resources/agents.ts';
import { type Dialect, sql } from '../statement.ts';

/** Agents, the traits they are found by, and the events that concern them. */

const AGENT = `a.id, a.uuid, a.name, a.status, a.status_since_at_ms AS "statusSinceMs", a.card, a.version,
  a.registered_at_ms AS "registeredAtMs", a.updated_at_ms AS "updatedAtMs", a.last_heartbeat_at_ms AS "lastHeartbeatAtMs"`;

/** An id takes precedence over a uuid. */
export const AGENT_BY_ID_OR_UUID = sql<AgentRow>(`SELECT ${AGENT} FROM agents a WHERE a.tenant_id = @tenantId AND a.id = @key
  UNION ALL SELECT ${AGENT} FROM agents a WHERE a.tenant_id = @tenantId AND a.uuid = @key
    AND NOT EXISTS (SELECT 1 FROM agents b WHERE b.tenant_id = @tenantId AND b.id = @key)`);

/**
 * Whether the agent has all given traits. PostgreSQL counts them, agent by agent: with EXISTS, its planner may read the traits of all agents.
 */
const hasTraits = ({ engine }: Dialect): string =>
  engine === 'sqlite'
    ? `NOT EXISTS (SELECT 1 FROM json_each(@traits) wanted WHERE NOT EXISTS
  (SELECT 1 FROM agent_traits t WHERE t.tenant_id = found.tenant_id AND t.agent_id = found.id AND t.trait = wanted.value))`
    : `(SELECT count(DISTINCT wanted) FROM unnest(@traits::text[]) AS wanted) =
  (SELECT count(*) FROM agent_traits t WHERE t.tenant_id = found.tenant_id AND t.agent_id = found.id AND t.trait = ANY(@traits::text[]))`;
/** Agents before a registration, and which of them have the traits: how many are read does not depend on how many have them. */
const slice = (condition: string) =>
  sql<{ readonly registration: number; readonly matches: number | boolean }>(
    (
      dialect,
    ) => `SELECT found.registration, ${hasTraits(dialect)} AS matches FROM (SELECT s.tenant_id, s.id, s.registration FROM agents s
    WHERE s.tenant_id = @tenantId${condition} AND s.registration < @before ORDER BY s.registration DESC LIMIT @slice) AS found`,
  );
export const AGENTS_SLICE = slice('');
export const AGENTS_SLICE_OF_STATUS = slice(' AND s.status = @status');
export const AGENTS_REGISTERED = sql<AgentRow & { readonly registration: number }>(
  ({ engine }) => `SELECT ${AGENT}, a.registration FROM agents a WHERE a.tenant_id = @tenantId
  AND a.registration ${engine === 'sqlite' ? 'IN (SELECT value + 0 FROM json_each(@registrations))' : '= ANY(@registrations::bigint[])'}`,
);

export const INSERT_AGENT = sql(`INSERT INTO agents (tenant_id, id, uuid, name, status, status_since_at_ms, version, registration,
  registered_at_ms, updated_at_ms, last_heartbeat_at_ms, card)
  VALUES (@tenantId, @id, @uuid, @name, @status, @statusSinceMs, 1, @seq, @registeredAtMs, @updatedAtMs, NULL, @card)
  ON CONFLICT (tenant_id, id) DO NOTHING`);
export const UPDATE_AGENT =
  sql(`UPDATE agents SET name = @name, status = @status, status_since_at_ms = @statusSinceMs, version = @version,
  updated_at_ms = @updatedAtMs, card = @card WHERE tenant_id = @tenantId AND id = @id AND version = @version - 1`);
export const DELETE_TRAITS = sql('DELETE FROM agent_traits WHERE tenant_id = @tenantId AND agent_id = @id');
export const INSERT_TRAITS = sql(
  ({
    each,
  }) => `INSERT INTO agent_traits (tenant_id, agent_id, trait) SELECT @tenantId, @id, each.value FROM ${each('traits')} WHERE true
  ON CONFLICT DO NOTHING`,
);
export const INSERT_AGENT_EVENT = sql('INSERT INTO agent_events (tenant_id, agent_id, seq) VALUES (@tenantId, @id, @seq)');
export const RECORD_HEARTBEAT = sql(
  ({ greatest }) => `UPDATE agents SET last_heartbeat_at_ms = ${greatest}(coalesce(last_heartbeat_at_ms, 0), @atMs)
  WHERE tenant_id = @tenantId AND id = @id`,
);

/** What a call counts after the next one: the last 50 count most. */
const FADING = 0.98;

export const AGENT_OUTCOMES = sql<AgentOutcomesRow>(
  ({ in: isIn }) =>
    `SELECT uri, calls, failures, total_ms AS "totalMs" FROM agent_outcomes WHERE tenant_id = @tenantId AND uri ${isIn('uris')}`,
);
export const RECORD_AGENT_OUTCOME =
  sql(`INSERT INTO agent_outcomes AS o (tenant_id, uri, calls, failures, total_ms, updated_at_ms)
  VALUES (@tenantId, @uri, 1, @failures, @durationMs, @atMs)
  ON CONFLICT (tenant_id, uri) DO UPDATE SET calls = o.calls * ${FADING} + 1, failures = o.failures * ${FADING} + excluded.failures,
    total_ms = o.total_ms * ${FADING} + excluded.total_ms, updated_at_ms = excluded.updated_at_ms`);

// The trace. `actor_type = 'agent'` and `actor < 0` are literals: with bound values, the planner could not use the partial indexes.

export const EVENTS_ABOUT_AGENT =
  sql<TraceRow>(`SELECT c.at_ms AS "atMs", c.type, c.actor_id AS "actorId", NULL AS "executionId", NULL AS "nodeId", c.seq
  FROM agent_events e JOIN control_events c ON c.tenant_id = e.tenant_id AND c.seq = e.seq
  WHERE e.tenant_id = @tenantId AND e.agent_id = @id ORDER BY e.seq DESC LIMIT @limit`);
export const CONTROL_EVENTS_BY_AGENT =
  sql<TraceRow>(`SELECT at_ms AS "atMs", type, actor_id AS "actorId", NULL AS "executionId", NULL AS "nodeId", seq
  FROM control_events WHERE actor_type = 'agent' AND tenant_id = @tenantId AND actor_id = @actorId ORDER BY at_ms DESC, seq DESC LIMIT @limit`);
/** One for each name on whose behalf the agent acted, and one for itself. */
export const ACTORS_OF_AGENT = sql<{ readonly actor: number }>(
  ({ engine }) => `SELECT number AS actor FROM log_actors
  WHERE id = @actorId AND type = 'agent'${engine === 'sqlite' ? '' : ' AND tenant_id = @tenantId'}`,
);
export const ENTRIES_BY_AGENT = sql<LogEntry & Pick<TraceRow, 'executionId'>>(
  ({
    engine,
  }) => `SELECT l.seq, l.events, l.at_ms AS "atMs", a.id AS "actorId", a.type AS "actorType", a.on_behalf_of AS "onBehalfOf",
    l.request, l.body, e.id AS "executionId"
  FROM log_entries l JOIN log_actors a ON a.number = l.actor JOIN executions e ON e.log_id = l.log_id
  WHERE ${engine === 'sqlite' ? 'l.tenant = (SELECT t.number FROM log_tenants t WHERE t.id = @tenantId)' : 'l.tenant_id = @tenantId'}
    AND l.actor = @actor AND l.actor < 0 ORDER BY l.at_ms DESC, l.position DESC LIMIT @limit`,
);
