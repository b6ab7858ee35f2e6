/** Why a database could not be used. */
export type StoreErrorCode =
  | 'store_locked'
  | 'store_unavailable'
  | 'store_full'
  | 'store_read_only'
  /** The files of an open SQLite database were removed or replaced. */
  | 'store_replaced'
  | 'schema_too_new'
  | 'not_a_database'
  | 'unknown_token'
  | 'sign_in_link_used'
  | 'unknown_block'
  | 'unknown_position'
  | 'unknown_webhook'
  | 'too_many_webhooks'
  | 'unknown_cron_job'
  | 'unknown_tenant'
  | 'tenant_exists';

/**
 * An error of the database. The `code` is stable. After `store_unavailable`, `store_full` and `store_read_only`, the same call may succeed
 * later.
 *
 * @example
 * await createRuntime({ store }).catch((error: unknown) => {
 *   if (error instanceof StoreError && error.code === 'store_locked') console.error(error.message);
 *   else throw error;
 * });
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** The entry's text is not in the form in which it was written. */
export class DamagedEntryError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`an entry of the log is damaged: ${problem}`, options);
    this.name = 'DamagedEntryError';
  }
}
