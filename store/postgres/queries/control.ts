import { sql } from '../connections.ts';

/** The control plane: workflows, tokens, tenants, idempotency keys. */

const TOKEN = `id, tenant_id AS "tenantId", name, role, hash, created_at_ms AS "createdAtMs", expires_at_ms AS "expiresAtMs",
  revoked_at_ms AS "revokedAtMs", parent_id AS "parentId", queues`;
const SUMMARY = `w.workflow_id AS "workflowId", w.version, w.revision, w.registered_at_ms AS "registeredAtMs",
  (SELECT v.registered_by FROM workflow_revisions v WHERE v.tenant_id = w.tenant_id AND v.workflow_id = w.workflow_id
    AND v.revision = w.revision AND v.version = w.version) AS "registeredBy"`;
const WORKFLOW = `${SUMMARY}, r.source`;
const CONTENT = 'JOIN revisions r ON r.tenant_id = w.tenant_id AND r.hash = w.revision';
const WORKFLOWS = `workflows w ${CONTENT}`;

/** Serializes the actions of a tenant, so that their sequences have no gap. */
export const LOCK_CONTROL_LOG = sql("SELECT pg_advisory_xact_lock(hashtextextended('control ' || $1, 0))");
export const NEXT_CONTROL_SEQ = sql('SELECT coalesce(max(seq), 0) + 1 AS seq FROM control_events WHERE tenant_id = $1');
export const APPEND_CONTROL_EVENT =
  sql(`INSERT INTO control_events (tenant_id, seq, type, at_ms, actor_id, actor_type, request, data)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`);
export const CONTROL_EVENTS =
  sql(`SELECT seq, type, NULL AS "nodeId", data, at_ms AS "atMs", actor_id AS "actorId", actor_type AS "actorType",
  NULL AS "onBehalfOf", request
  FROM control_events WHERE tenant_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq`);

export const REVISION = sql('SELECT source FROM revisions WHERE tenant_id = $1 AND hash = $2');
export const WORKFLOW_VERSION = sql(
  `SELECT ${WORKFLOW} FROM ${WORKFLOWS} WHERE w.tenant_id = $1 AND w.workflow_id = $2 AND w.version = $3`,
);
export const LATEST_WORKFLOW = sql(`SELECT ${WORKFLOW} FROM ${WORKFLOWS}
  WHERE w.tenant_id = $1 AND w.workflow_id = $2 ORDER BY w.registration DESC LIMIT 1`);
export const REVISION_OF_VERSION = sql(
  'SELECT revision FROM workflows WHERE tenant_id = $1 AND workflow_id = $2 AND version = $3',
);
/** Tenant, workflows. */
export const LATEST_REVISIONS = sql(`SELECT asked.id AS "workflowId", latest.revision FROM unnest($2::text[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT w.revision FROM workflows w
    WHERE w.tenant_id = $1 AND w.workflow_id = asked.id ORDER BY w.registration DESC LIMIT 1) AS latest`);
export const WORKFLOW_VERSIONS = sql(`SELECT ${SUMMARY} FROM workflows w
  WHERE w.tenant_id = $1 AND w.workflow_id = $2 ORDER BY w.registration DESC LIMIT $3`);
/**
 * Tenant, workflow, limit, offset. Compared as a row, so that each version is found by its key: the planner takes the index of all versions for
 * as good.
 */
export const WORKFLOW_REVISIONS = sql(`SELECT v.version, v.revision,
  coalesce((SELECT w.revision FROM workflows w
    WHERE (w.tenant_id, w.workflow_id, w.version) >= (v.tenant_id, v.workflow_id, v.version)
      AND (w.tenant_id, w.workflow_id, w.version) <= (v.tenant_id, v.workflow_id, v.version)
    ORDER BY w.tenant_id, w.workflow_id, w.version LIMIT 1) = v.revision, false)::integer AS "isCurrent",
  v.first_registered_at_ms AS "firstRegisteredAtMs", v.first_registered_by AS "firstRegisteredBy",
  v.registered_at_ms AS "registeredAtMs", v.registered_by AS "registeredBy"
  FROM workflow_revisions v WHERE v.tenant_id = $1 AND v.workflow_id = $2
  ORDER BY v.registration DESC LIMIT $3 OFFSET $4`);
/** Tenant, workflow, first digits. A revision under several versions is one content: the version registered last names it. */
export const WORKFLOW_BY_REVISION = sql(`SELECT w.workflow_id AS "workflowId", w.version, w.revision, r.source,
  w.registered_at_ms AS "registeredAtMs", w.registered_by AS "registeredBy"
  FROM workflow_revisions w ${CONTENT}
  WHERE w.tenant_id = $1 AND w.workflow_id = $2 AND left(w.revision, length($3)) = $3
    AND NOT EXISTS (SELECT 1 FROM workflow_revisions l WHERE l.tenant_id = w.tenant_id AND l.workflow_id = w.workflow_id
      AND l.revision = w.revision AND l.registration > w.registration)
  ORDER BY w.registration DESC LIMIT 2`);
/** Tenant, limit, offset. The page is counted along the index of latest versions; only what is on it is looked up. */
export const LATEST_WORKFLOWS = sql(`SELECT ${SUMMARY} FROM (
    SELECT DISTINCT workflow_id FROM workflows WHERE tenant_id = $1 ORDER BY workflow_id LIMIT $2 OFFSET $3) AS page
  CROSS JOIN LATERAL (SELECT * FROM workflows l WHERE l.tenant_id = $1 AND l.workflow_id = page.workflow_id
    ORDER BY l.registration DESC LIMIT 1) AS w
  ORDER BY page.workflow_id`);

export const TOKEN_BY_HASH = sql(`SELECT ${TOKEN} FROM tokens WHERE hash = $1`);
export const TOKENS = sql(`SELECT ${TOKEN} FROM tokens WHERE tenant_id = $1 ORDER BY created_at_ms, id`);
export const TENANT = sql('SELECT id, name, status FROM tenants WHERE id = $1');

export const IDEMPOTENCY_ROW =
  sql(`SELECT tenant_id AS "tenantId", scope, key, request_hash AS "requestHash", response, created_at_ms AS "createdAtMs",
  execution_id AS "executionId" FROM idempotency WHERE tenant_id = $1 AND scope = $2 AND key = $3`);
