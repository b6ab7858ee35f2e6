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
  | 'unknown_block'
  | 'unknown_position'
  | 'unknown_webhook'
  | 'too_many_webhooks'
  | 'unknown_cron_job'
  | 'unknown_tenant'
  | 'tenant_exists';

/** What a storage engine throws; `code` is stable. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
