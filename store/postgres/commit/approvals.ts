import { jsonText } from '../json-text.ts';
import { PUT_APPROVALS, REMOVE_APPROVALS } from '../queries/commit.ts';
import type { BoundStatement } from './commit-functions.ts';
import type { EncodedWrite } from './encoded-write.ts';

/** The statements that enter approvals which were asked for or decided, and remove those that were withdrawn. */
export function approvalStatements(writes: readonly EncodedWrite[]): readonly BoundStatement[] {
  const asking = writes.filter(({ approvals }) => approvals !== undefined);
  if (asking.length === 0) return [];
  const put: object[] = [];
  const removed: object[] = [];
  for (const { id, tenantId, approvals = [] } of asking) {
    for (const one of approvals) {
      if (one.op === 'remove') removed.push({ execution_id: id, seq: one.seq });
      else
        put.push({
          execution_id: id,
          seq: one.seq,
          tenant_id: tenantId,
          workflow_id: one.workflowId,
          node_id: one.nodeId,
          activation: one.activation,
          item: one.item,
          requested_at_ms: one.requestedAtMs,
          expires_at_ms: one.expiresAtMs,
          decided_at_ms: one.decidedAtMs,
          decided_seq: one.decidedSeq,
        });
    }
  }
  return [
    ...(put.length === 0 ? [] : [{ statement: PUT_APPROVALS, values: [jsonText(put)] }]),
    ...(removed.length === 0 ? [] : [{ statement: REMOVE_APPROVALS, values: [jsonText(removed)] }]),
  ];
}
