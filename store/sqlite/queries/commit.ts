/** What a commit writes beside the log, the work items and the messages: artifacts, usage. */

/** The media type stored first stays. */
export const INSERT_ARTIFACT = `INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
  VALUES (@tenantId, @hash, @mediaType, @size, 0, @createdAtMs, @content) ON CONFLICT (tenant_id, hash) DO NOTHING`;
export const INSERT_REFERENCE = `INSERT INTO artifact_refs (execution_id, hash, tenant_id) VALUES (@id, @hash, @tenantId)
  ON CONFLICT DO NOTHING`;

/** One that was entered before gets its decision, or begins to wait anew. */
export const PUT_APPROVAL = `INSERT INTO approvals (execution_id, seq, tenant_id, workflow_id, node_id, activation, item, requested_at_ms, expires_at_ms,
    decided_at_ms, decided_seq)
  VALUES (@executionId, @seq, @tenantId, @workflowId, @nodeId, @activation, @item, @requestedAtMs, @expiresAtMs, @decidedAtMs, @decidedSeq)
  ON CONFLICT (execution_id, seq) DO UPDATE SET requested_at_ms = excluded.requested_at_ms, expires_at_ms = excluded.expires_at_ms,
    decided_at_ms = excluded.decided_at_ms, decided_seq = excluded.decided_seq`;
export const REMOVE_APPROVAL = 'DELETE FROM approvals WHERE execution_id = ? AND seq = ?';

export const INSERT_ORIGINAL = 'INSERT INTO original_events (execution_id, seq, tenant_id, salt, data) VALUES (?, ?, ?, ?, ?)';
export const INSERT_ERASURE = 'INSERT INTO erasures (execution_id, tenant_id, ended_at_ms, remove_at_ms) VALUES (?, ?, ?, ?)';

/** Both sums stop where a number is no longer exact: an absurd report must not make every later commit fail. */
export const ADD_TENANT_USAGE = `INSERT INTO tenant_usage (tenant_id, month, tokens, cost_usd) VALUES (?, ?, ?, ?)
  ON CONFLICT (tenant_id, month) DO UPDATE
    SET tokens = min(tokens + excluded.tokens, 9007199254740991), cost_usd = min(cost_usd + excluded.cost_usd, 9007199254740991)`;
