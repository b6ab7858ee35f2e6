/** Descriptions of audit faults. */
export const AUDIT_FAULTS = {
  missing_block: 'the block is missing',
  block_hash: 'the block or its position in the chain was changed',
  signature: 'it is not signed by this key (JAMJET_AUDIT_SIGNING_KEY)',
  stream_digest: 'events were changed, removed or reordered',
  unsealed_rows: 'events exist that no block covers',
  snapshot: 'the stored snapshot of an execution was changed; its log is valid',
  format: 'the line does not have the expected content',
  unexplained_removal: 'events are missing without a record of their removal by retention',
  seal: 'lines were changed, added or removed',
  truncated: 'the end of the file is missing',
  head: 'the chain does not end with the given --head',
} as const;
