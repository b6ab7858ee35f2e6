/** Messages in one batch. The protocol has dropped batches since 2025-06-18: only older clients send them. */
export const MAX_BATCH_MESSAGES = 32;
/** Tools of one batch that are carried out at a time. */
export const BATCH_CONCURRENCY = 2;
/** Bytes of the reply of one tool: more than a model reads. */
export const MAX_TOOL_REPLY_BYTES = 1024 * 1024;
/** Bytes that all tools in one batch may read; a reply that is too large counts as the largest that is not. */
export const MAX_BATCH_REPLY_BYTES = 4 * 1024 * 1024;
/** Events that `jamjet_get_events` answers unless `limit` says less. */
export const EVENTS_PER_PAGE = 100;
