import type { Database, Statement } from 'better-sqlite3';
import { TAKE_LEASE } from './queries/leases.ts';

/** Named leases, which expire unless they are renewed. */
export class Leases {
  readonly #take: Statement;

  constructor(db: Database) {
    this.#take = db.prepare(TAKE_LEASE);
  }

  take(name: string, holder: string, nowMs: number, ttlMs: number): boolean {
    return this.#take.run({ name, holder, nowMs, expiresAtMs: nowMs + ttlMs }).changes === 1;
  }
}
