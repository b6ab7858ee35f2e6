import type { SubjectTokenRow, SubjectTokenStore } from '../port/resources/subject-tokens.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/subject-tokens.ts';

export class SubjectTokens implements SubjectTokenStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  async put(row: SubjectTokenRow): Promise<void> {
    await this.#db.runtime.run(sql.INSERT_SUBJECT_TOKEN, row);
  }

  async find(tenantId: string, executionId: string): Promise<Uint8Array | null> {
    return (await this.#db.runtime.get(sql.SUBJECT_TOKEN, { tenantId, executionId }))?.sealed ?? null;
  }

  async remove(tenantId: string, executionId: string): Promise<void> {
    await this.#db.runtime.run(sql.DELETE_SUBJECT_TOKEN, { tenantId, executionId });
  }

  async removeUnused(createdBeforeMs: number): Promise<void> {
    await this.#db.runtime.run(sql.DELETE_UNUSED_SUBJECT_TOKENS, { createdBeforeMs });
  }
}
