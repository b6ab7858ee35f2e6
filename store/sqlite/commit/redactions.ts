import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionWrite } from '../../port/commit.ts';
import { INSERT_ERASURE, INSERT_ORIGINAL } from '../queries/commit.ts';

/** Writes the originals of redacted events, and that an execution which has ended is to be erased. */
export class Redactions {
  readonly #original: Statement;
  readonly #erasure: Statement;

  constructor(db: Database) {
    this.#original = db.prepare(INSERT_ORIGINAL);
    this.#erasure = db.prepare(INSERT_ERASURE);
  }

  write({ id, tenantId, redaction }: ExecutionWrite): void {
    for (const { seq, salt, data } of redaction?.originals ?? []) this.#original.run(id, seq, tenantId, salt, data);
    if (redaction?.ended) this.#erasure.run(id, tenantId, redaction.ended.atMs, redaction.ended.removeAtMs);
  }
}
