import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionWrite } from '../../port/commit.ts';
import { INSERT_ARTIFACT, INSERT_REFERENCE } from '../queries/commit.ts';

/** Writes the artifacts that a commit's events refer to. */
export class OffloadedArtifacts {
  readonly #insert: Statement;
  readonly #refer: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(INSERT_ARTIFACT);
    this.#refer = db.prepare(INSERT_REFERENCE);
  }

  write({ id, tenantId, offloaded = [] }: ExecutionWrite): void {
    for (const { hash, mediaType, size, createdAtMs, content } of offloaded) {
      this.#insert.run({ tenantId, hash, mediaType, size, createdAtMs, content });
      this.#refer.run({ tenantId, hash, id });
    }
  }
}
