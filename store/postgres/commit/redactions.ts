import { jsonText } from '../json-text.ts';
import { INSERT_ERASURES, INSERT_ORIGINALS } from '../queries/commit.ts';
import type { BoundStatement } from './commit-functions.ts';
import type { EncodedWrite } from './encoded-write.ts';

/** The statements that write the originals of redacted events, and that executions which have ended are to be erased. */
export function redactionStatements(writes: readonly EncodedWrite[]): readonly BoundStatement[] {
  const redacted = writes.filter(({ redaction }) => redaction !== undefined);
  if (redacted.length === 0) return [];
  const originals = redacted.flatMap(({ id, tenantId, redaction }) =>
    (redaction?.originals ?? []).map(({ seq, salt, data }) => ({ execution_id: id, seq, tenant_id: tenantId, salt, data })),
  );
  const ended = redacted.flatMap(({ id, tenantId, redaction }) => {
    const end = redaction?.ended ?? null;
    return end === null ? [] : [{ execution_id: id, tenant_id: tenantId, ended_at_ms: end.atMs, remove_at_ms: end.removeAtMs }];
  });
  return [
    ...(originals.length === 0 ? [] : [{ statement: INSERT_ORIGINALS, values: [jsonText(originals)] }]),
    ...(ended.length === 0 ? [] : [{ statement: INSERT_ERASURES, values: [jsonText(ended)] }]),
  ];
}
