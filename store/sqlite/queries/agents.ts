/** Agents, what they are found by, and what is on record about them. */

const AGENT = `a.id, a.uuid, a.name, a.status, a.status_since_at_ms AS statusSinceMs, a.card, a.version,
  a.registered_at_ms AS registeredAtMs, a.updated_at_ms AS updatedAtMs, a.last_heartbeat_at_ms AS lastHeartbeatAtMs`;

export const AGENT_BY_ID = `SELECT ${AGENT} FROM agents a WHERE a.tenant_id = ? AND a.id = ?`;
export const AGENT_BY_UUID = `SELECT ${AGENT} FROM agents a WHERE a.tenant_id = ? AND a.uuid = ?`;

/** No trait is wanted that the agent does not have. */
const HAS_TRAITS = `NOT EXISTS (SELECT 1 FROM json_each(@traits) wanted WHERE NOT EXISTS
  (SELECT 1 FROM agent_traits t WHERE t.tenant_id = a.tenant_id AND t.agent_id = a.id AND t.trait = wanted.value))`;
const PAGE = 'ORDER BY a.registration DESC LIMIT @limit OFFSET @offset';
export const AGENTS = `SELECT ${AGENT} FROM agents a WHERE a.tenant_id = @tenantId AND ${HAS_TRAITS} ${PAGE}`;
export const AGENTS_OF_STATUS = `SELECT ${AGENT} FROM agents a
  WHERE a.tenant_id = @tenantId AND a.status = @status AND ${HAS_TRAITS} ${PAGE}`;

export const CREATE_AGENT = `INSERT INTO agents (tenant_id, id, uuid, name, status, status_since_at_ms, version, registration,
  registered_at_ms, updated_at_ms, last_heartbeat_at_ms, card)
  VALUES (@tenantId, @id, @uuid, @name, @status, @statusSinceMs, 1, @seq, @registeredAtMs, @updatedAtMs, NULL, @card)
  ON CONFLICT (tenant_id, id) DO NOTHING`;
export const CHANGE_AGENT = `UPDATE agents SET name = @name, status = @status, status_since_at_ms = @statusSinceMs, version = @version,
  updated_at_ms = @updatedAtMs, card = @card WHERE tenant_id = @tenantId AND id = @id AND version = @version - 1`;
export const FORGET_TRAITS = 'DELETE FROM agent_traits WHERE tenant_id = ? AND agent_id = ?';
export const ADD_TRAIT = 'INSERT INTO agent_traits (tenant_id, agent_id, trait) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
export const ADD_AGENT_EVENT = 'INSERT INTO agent_events (tenant_id, agent_id, seq) VALUES (?, ?, ?)';
export const AGENT_HEARTBEAT = `UPDATE agents SET last_heartbeat_at_ms = max(coalesce(last_heartbeat_at_ms, 0), @atMs)
  WHERE tenant_id = @tenantId AND id = @id`;

// The trace. `actor_type = 'agent'` is a literal on purpose: bound, the planner could not use the partial index.

export const DONE_TO_AGENT = `SELECT c.at_ms AS atMs, c.type, c.actor_id AS actorId, NULL AS executionId, NULL AS nodeId, c.seq
  FROM agent_events e JOIN control_events c ON c.tenant_id = e.tenant_id AND c.seq = e.seq
  WHERE e.tenant_id = ? AND e.agent_id = ? ORDER BY e.seq DESC LIMIT ?`;
export const CONTROLLED_BY_AGENT = `SELECT at_ms AS atMs, type, actor_id AS actorId, NULL AS executionId, NULL AS nodeId, seq
  FROM control_events WHERE actor_type = 'agent' AND tenant_id = ? AND actor_id = ? ORDER BY at_ms DESC, seq DESC LIMIT ?`;
export const DONE_BY_AGENT = `SELECT at_ms AS atMs, type, actor_id AS actorId, execution_id AS executionId, node_id AS nodeId, seq
  FROM events WHERE actor_type = 'agent' AND tenant_id = ? AND actor_id = ? ORDER BY at_ms DESC, rowid DESC LIMIT ?`;
