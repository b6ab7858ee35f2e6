import { sql } from '../connections.ts';
import { EVENT } from './log.ts';

/** Reading the audit chains. */

export const CHAINS = sql('SELECT writer, id FROM audit_chains ORDER BY writer');
export const BLOCKS = sql(`SELECT block, at_ms AS "atMs", writer, streams, hash, signature FROM audit_blocks
  WHERE writer = $1 AND block > $2 ORDER BY block LIMIT $3`);
export const EVENT_RANGE = sql(
  `SELECT ${EVENT} FROM events WHERE execution_id = $1 AND tenant_id = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq`,
);
export const COUNT_AUDITED = sql('SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM control_events) AS rows');
