import { sql } from '../connections.ts';

/** A lease lasts ten minutes at most: one that runs longer was written by a clock that was ahead, and is ignored. */
export const TAKE_LEASE = sql(`INSERT INTO leases (name, holder, expires_at_ms) VALUES ($1, $2, $4)
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms
  WHERE leases.holder = excluded.holder OR leases.expires_at_ms NOT BETWEEN $3::bigint + 1 AND $3::bigint + 600000 RETURNING name`);
/** Notifies other processes. */
export const NOTIFY_ONE = sql("SELECT pg_notify('jamjet', $1)");
