/** The audit chain. */

import { EVENT } from './log.ts';

export const CHAIN_ID = 'SELECT id FROM audit_chain';
export const CHAIN_TAIL = 'SELECT block, hash FROM audit_blocks ORDER BY block DESC LIMIT 1';
export const CLOSE_BLOCK = 'INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature) VALUES (?, ?, ?, ?, ?, ?)';
export const BLOCKS = `SELECT block, at_ms AS atMs, writer, streams, hash, signature FROM audit_blocks
  WHERE block > ? ORDER BY block LIMIT ?`;
export const EVENT_RANGE = `SELECT ${EVENT} FROM events WHERE execution_id = ? AND tenant_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;
export const COUNT_AUDITED = 'SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM control_events)';
