/** The control plane: workflows, tokens, tenants, idempotency keys; the holder of the database. */

const TOKEN = `id, tenant_id AS tenantId, name, role, hash, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs,
  revoked_at_ms AS revokedAtMs, parent_id AS parentId, queues`;
const SUMMARY = `w.workflow_id AS workflowId, w.version, w.revision, w.registered_at_ms AS registeredAtMs,
  (SELECT v.registered_by FROM workflow_revisions v WHERE v.tenant_id = w.tenant_id AND v.workflow_id = w.workflow_id
    AND v.revision = w.revision AND v.version = w.version) AS registeredBy`;
const WORKFLOW = `${SUMMARY}, r.source`;
const CONTENT = 'JOIN revisions r ON r.tenant_id = w.tenant_id AND r.hash = w.revision';
const WORKFLOWS = `workflows w ${CONTENT}`;

// Control plane

export const NEXT_CONTROL_SEQ = 'SELECT coalesce(max(seq), 0) + 1 FROM control_events WHERE tenant_id = ?';
export const APPEND_CONTROL_EVENT = `INSERT INTO control_events (tenant_id, seq, type, at_ms, actor_id, actor_type, request, data)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
export const CONTROL_EVENTS = `SELECT seq, type, NULL AS nodeId, data, at_ms AS atMs, actor_id AS actorId, actor_type AS actorType,
  NULL AS onBehalfOf, request
  FROM control_events WHERE tenant_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;

export const REVISION = 'SELECT source FROM revisions WHERE tenant_id = ? AND hash = ?';
export const WORKFLOW_VERSION = `SELECT ${WORKFLOW} FROM ${WORKFLOWS} WHERE w.tenant_id = ? AND w.workflow_id = ? AND w.version = ?`;
export const LATEST_WORKFLOW = `SELECT ${WORKFLOW} FROM ${WORKFLOWS}
  WHERE w.tenant_id = ? AND w.workflow_id = ? ORDER BY w.registration DESC LIMIT 1`;
export const REVISION_OF_VERSION = 'SELECT revision FROM workflows WHERE tenant_id = ? AND workflow_id = ? AND version = ?';
export const LATEST_REVISION = `SELECT revision FROM workflows
  WHERE tenant_id = ? AND workflow_id = ? ORDER BY registration DESC LIMIT 1`;
export const WORKFLOW_VERSIONS = `SELECT ${SUMMARY} FROM workflows w
  WHERE w.tenant_id = ? AND w.workflow_id = ? ORDER BY w.registration DESC LIMIT ?`;
export const WORKFLOW_REVISIONS = `SELECT v.version, v.revision,
  EXISTS (SELECT 1 FROM workflows w WHERE w.tenant_id = v.tenant_id AND w.workflow_id = v.workflow_id AND w.version = v.version
    AND w.revision = v.revision) AS isCurrent,
  v.first_registered_at_ms AS firstRegisteredAtMs, v.first_registered_by AS firstRegisteredBy,
  v.registered_at_ms AS registeredAtMs, v.registered_by AS registeredBy
  FROM workflow_revisions v WHERE v.tenant_id = @tenantId AND v.workflow_id = @workflowId
  ORDER BY v.registration DESC LIMIT @limit OFFSET @offset`;
/** A revision under several versions is one content: the version registered last names it. */
export const WORKFLOW_BY_REVISION = `SELECT w.workflow_id AS workflowId, w.version, w.revision, r.source,
  w.registered_at_ms AS registeredAtMs, w.registered_by AS registeredBy
  FROM workflow_revisions w ${CONTENT}
  WHERE w.tenant_id = @tenantId AND w.workflow_id = @workflowId AND substr(w.revision, 1, length(@prefix)) = @prefix
    AND NOT EXISTS (SELECT 1 FROM workflow_revisions l WHERE l.tenant_id = w.tenant_id AND l.workflow_id = w.workflow_id
      AND l.revision = w.revision AND l.registration > w.registration)
  ORDER BY w.registration DESC LIMIT 2`;
/** The page is counted along the index of latest versions; only what is on it is looked up. */
export const LATEST_WORKFLOWS = `SELECT ${SUMMARY} FROM (
    SELECT workflow_id, max(registration) AS registration FROM workflows WHERE tenant_id = @tenantId
    GROUP BY workflow_id ORDER BY workflow_id LIMIT @limit OFFSET @offset) AS page
  CROSS JOIN workflows w INDEXED BY workflows_latest ON w.tenant_id = @tenantId AND w.workflow_id = page.workflow_id
    AND w.registration = page.registration
  ORDER BY page.workflow_id`;

export const TOKEN_BY_HASH = `SELECT ${TOKEN} FROM tokens WHERE hash = ?`;
export const TOKENS = `SELECT ${TOKEN} FROM tokens WHERE tenant_id = ? ORDER BY created_at_ms, id`;
export const TENANT = 'SELECT id, name, status FROM tenants WHERE id = ?';

export const PUT_IDEMPOTENCY = `INSERT INTO idempotency (tenant_id, scope, key, request_hash, response, created_at_ms, execution_id)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, scope, key) DO NOTHING`;
export const IDEMPOTENCY_ROW = `SELECT tenant_id AS tenantId, scope, key, request_hash AS requestHash, response, created_at_ms AS createdAtMs,
  execution_id AS executionId FROM idempotency WHERE tenant_id = ? AND scope = ? AND key = ?`;

// The holder of the database

export const HOLDER = 'SELECT runtime_id AS runtimeId, pid, started_at_ms AS startedAtMs FROM runtime_holder';
export const SET_HOLDER = `INSERT INTO runtime_holder (id, runtime_id, pid, started_at_ms) VALUES (1, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET runtime_id = excluded.runtime_id, pid = excluded.pid, started_at_ms = excluded.started_at_ms`;
