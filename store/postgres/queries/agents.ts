import { sql } from '../connections.ts';

/** Agents, what they are found by, and what is on record about them. */

const AGENT = `a.id, a.uuid, a.name, a.status, a.status_since_at_ms AS "statusSinceMs", a.card, a.version,
  a.registered_at_ms AS "registeredAtMs", a.updated_at_ms AS "updatedAtMs", a.last_heartbeat_at_ms AS "lastHeartbeatAtMs"`;

/** An id before a uuid. */
export const AGENT_BY_ID_OR_UUID = sql(`SELECT ${AGENT} FROM agents a
  WHERE a.tenant_id = $1 AND (a.id = $2 OR a.uuid = $2) ORDER BY a.id = $2 DESC LIMIT 1`);

/** As many as are wanted. Counted, agent by agent: asked for with EXISTS, the planner may read the traits of all agents. */
const HAS_TRAITS = `(SELECT count(DISTINCT wanted) FROM unnest($4::text[]) AS wanted) =
  (SELECT count(*) FROM agent_traits t WHERE t.tenant_id = a.tenant_id AND t.agent_id = a.id AND t.trait = ANY($4::text[]))`;
const PAGE = 'ORDER BY a.registration DESC LIMIT $2 OFFSET $3';
export const AGENTS = sql(`SELECT ${AGENT} FROM agents a WHERE a.tenant_id = $1 AND ${HAS_TRAITS} ${PAGE}`);
export const AGENTS_OF_STATUS = sql(`SELECT ${AGENT} FROM agents a
  WHERE a.tenant_id = $1 AND a.status = $5 AND ${HAS_TRAITS} ${PAGE}`);

export const CREATE_AGENT = sql(`INSERT INTO agents (tenant_id, id, uuid, name, status, status_since_at_ms, version, registration,
  registered_at_ms, updated_at_ms, last_heartbeat_at_ms, card)
  VALUES ($1, $2, $3, $4, $5, $6, 1, $10, $7, $8, NULL, $9) ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id`);
export const CHANGE_AGENT = sql(`UPDATE agents SET name = $3, status = $4, status_since_at_ms = $5, version = $6,
  updated_at_ms = $7, card = $8 WHERE tenant_id = $1 AND id = $2 AND version = $6 - 1 RETURNING id`);
export const FORGET_TRAITS = sql('DELETE FROM agent_traits WHERE tenant_id = $1 AND agent_id = $2');
export const ADD_TRAITS = sql(`INSERT INTO agent_traits (tenant_id, agent_id, trait)
  SELECT DISTINCT $1, $2, trait FROM unnest($3::text[]) AS trait`);
export const ADD_AGENT_EVENT = sql('INSERT INTO agent_events (tenant_id, agent_id, seq) VALUES ($1, $2, $3)');
export const AGENT_HEARTBEAT = sql(`UPDATE agents SET last_heartbeat_at_ms = greatest(coalesce(last_heartbeat_at_ms, 0), $3)
  WHERE tenant_id = $1 AND id = $2 RETURNING id`);

// The trace. `actor_type = 'agent'` is a literal on purpose: bound, the planner could not use the partial index.

export const DONE_TO_AGENT =
  sql(`SELECT c.at_ms AS "atMs", c.type, c.actor_id AS "actorId", NULL AS "executionId", NULL AS "nodeId", c.seq
  FROM agent_events e JOIN control_events c ON c.tenant_id = e.tenant_id AND c.seq = e.seq
  WHERE e.tenant_id = $1 AND e.agent_id = $2 ORDER BY e.seq DESC LIMIT $3`);
export const CONTROLLED_BY_AGENT =
  sql(`SELECT at_ms AS "atMs", type, actor_id AS "actorId", NULL AS "executionId", NULL AS "nodeId", seq
  FROM control_events WHERE actor_type = 'agent' AND tenant_id = $1 AND actor_id = $2 ORDER BY at_ms DESC, seq DESC LIMIT $3`);
export const DONE_BY_AGENT =
  sql(`SELECT at_ms AS "atMs", type, actor_id AS "actorId", execution_id AS "executionId", node_id AS "nodeId", seq
  FROM events WHERE actor_type = 'agent' AND tenant_id = $1 AND actor_id = $2
  ORDER BY at_ms DESC, execution_id DESC, seq DESC LIMIT $3`);
