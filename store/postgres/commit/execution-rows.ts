import { sealOf } from '../../snapshot-seal.ts';
import { indexKey } from '../index-key.ts';
import { jsonText } from '../json-text.ts';
import { INSERT_EXECUTIONS, INSERT_LABELS, UPDATE_EXECUTIONS, WRITE_CHECKPOINTS } from '../queries/commit.ts';
import type { BoundStatement } from './commit-functions.ts';
import type { EncodedWrite } from './encoded-write.ts';
import { logStatements } from './entry-rows.ts';

/** Signs snapshots; null = seals carry no signature. */
export type Key = string | Uint8Array | null;

/** The statements that insert, label and update executions, and write their checkpoints and logs. Rows are ordered as `LOCK_EXECUTIONS` locks them. */
export function executionStatements(writes: readonly EncodedWrite[], key: Key): readonly BoundStatement[] {
  const sorted = [...writes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { names, entries } = logStatements(writes);
  const heads = [
    { statement: INSERT_EXECUTIONS, rows: sorted.flatMap(insertedRow) },
    { statement: INSERT_LABELS, rows: writes.flatMap(labelRows) },
    { statement: UPDATE_EXECUTIONS, rows: sorted.flatMap(updatedRow) },
    { statement: WRITE_CHECKPOINTS, rows: writes.flatMap((write) => checkpointRow(write, key)) },
  ].flatMap(({ statement, rows }) => (rows.length === 0 ? [] : [{ statement, values: [jsonText(rows)] }]));
  return [...names, ...heads, ...entries];
}

function insertedRow(write: EncodedWrite): readonly object[] {
  const { create } = write;
  if (create === null) return [];
  return [
    {
      workflow_id: create.workflowId,
      ...progressColumns(write),
      workflow_version: create.workflowVersion,
      revision: create.revision,
      labels: create.labels,
      parent_id: create.parentId,
      depth: create.depth,
      deadline_at_ms: create.deadlineAtMs,
      created_at_ms: create.createdAtMs,
    },
  ];
}

function updatedRow(write: EncodedWrite): readonly object[] {
  const { create, fromSeq, revive, clearsDeadline } = write;
  if (create !== null) return [];
  const setsDeadline = revive !== undefined || clearsDeadline === true;
  const deadline = setsDeadline ? { sets_deadline: true, deadline_at_ms: revive?.deadlineAtMs ?? null } : {};
  return [{ from_seq: fromSeq, ...progressColumns(write), ...deadline }];
}

function progressColumns({ id, tenantId, progress }: EncodedWrite): object {
  return {
    id,
    tenant_id: tenantId,
    status: progress.status,
    seq: progress.seq,
    steps: progress.steps,
    error: progress.error,
    local_work: progress.localWork,
    owner: progress.owner,
    updated_at_ms: progress.updatedAtMs,
    completed_at_ms: progress.completedAtMs,
  };
}

function checkpointRow({ id, tenantId, progress: { seq }, checkpoint }: EncodedWrite, key: Key): readonly object[] {
  if (checkpoint === null) return [];
  const { text, replacesFrom } = checkpoint;
  const digest = text === null ? null : sealOf(key, id, seq, text);
  return [{ execution_id: id, seq, tenant_id: tenantId, replaces_from: replacesFrom, digest, snapshot: text }];
}

/** One row per label of a new execution. */
function labelRows({ id, tenantId, create }: EncodedWrite): object[] {
  if (create === null || create.labels === '{}') return [];
  const labels = Object.entries(JSON.parse(create.labels) as Readonly<Record<string, string | null>>);
  return labels.flatMap(([key, value]) =>
    value === null ? [] : [{ tenant_id: tenantId, key: indexKey(key), execution_id: id, value: indexKey(value) }],
  );
}
