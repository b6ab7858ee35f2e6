/** A lease lasts ten minutes at most: one that runs longer was written by a clock that was ahead, and is ignored. */
export const TAKE_LEASE = `INSERT INTO leases (name, holder, expires_at_ms) VALUES (@name, @holder, @expiresAtMs)
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms
  WHERE leases.holder = excluded.holder OR leases.expires_at_ms NOT BETWEEN @nowMs + 1 AND @nowMs + 600000`;
