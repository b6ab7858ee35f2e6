/** What is wrong with an audit log, in words. */
export const AUDIT_FAULTS = {
  missing_block: 'the block is missing',
  block_hash: 'the block, or its place in the chain, was changed',
  signature: 'it is not signed by this key (JAMJET_AUDIT_SIGNING_KEY)',
  stream_digest: 'events were changed, removed or reordered',
  unsealed_rows: 'there are events that no block covers',
  snapshot: 'the stored snapshot of an execution was changed; its log is sound',
  format: 'this is not the line that should stand here',
  unexplained_removal: 'events are gone, and nothing says that retention removed them',
  seal: 'lines were changed, added or taken away',
  truncated: 'the end of the file is missing',
  head: 'the chain does not end with the given --head',
} as const;
