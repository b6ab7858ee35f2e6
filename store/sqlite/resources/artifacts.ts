import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionWrite } from '../../port/commit.ts';
import type { ActionContext } from '../../port/control.ts';
import type { Artifact, ArtifactMetadata, ArtifactStore } from '../../port/resources/artifacts.ts';
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/artifacts.ts';

/** The tables of artifacts, for use inside a transaction. */
export class ArtifactTables {
  readonly #put: Statement;
  readonly #refer: Statement;
  readonly #release: Statement<[string, string], string>;
  readonly #drop: Statement;

  constructor(db: Database) {
    this.#put = db.prepare(sql.PUT_ARTIFACT);
    this.#refer = db.prepare(sql.REFER);
    this.#release = db.prepare<[string, string], string>(sql.RELEASE).pluck();
    this.#drop = db.prepare(sql.DROP_UNREFERRED);
  }

  /** False = the bytes are there already. */
  put(tenantId: string, { hash, mediaType, size, createdAtMs, content }: Artifact, pinned: boolean): boolean {
    return this.#put.run(tenantId, hash, mediaType, size, pinned ? 1 : 0, createdAtMs, content).changes === 1;
  }

  /** What a commit's events refer to. */
  offload({ id, tenantId, offloaded: spilled = [] }: ExecutionWrite): void {
    for (const artifact of spilled) {
      this.put(tenantId, artifact, false);
      this.#refer.run(id, artifact.hash, tenantId);
    }
  }

  /** The execution goes, and with it what only it referred to. Answers how many artifacts were dropped. */
  release(tenantId: string, executionId: string): number {
    let dropped = 0;
    for (const hash of this.#release.all(executionId, tenantId)) dropped += this.#drop.run({ tenantId, hash }).changes;
    return dropped;
  }
}

export class Artifacts implements ArtifactStore {
  readonly #tables: ArtifactTables;
  readonly #log: ControlLog;
  readonly #pin: Statement;
  readonly #head: Statement<[string, string], ArtifactMetadata>;
  readonly #content: Statement<[string, string], Artifact>;

  constructor(db: Database, log: ControlLog) {
    this.#tables = new ArtifactTables(db);
    this.#log = log;
    this.#pin = db.prepare(sql.PIN_ARTIFACT);
    this.#head = db.prepare<[string, string], ArtifactMetadata>(sql.ARTIFACT_HEAD);
    this.#content = db.prepare<[string, string], Artifact>(sql.ARTIFACT_CONTENT);
  }

  put(artifact: Artifact, context: ActionContext): Promise<ArtifactMetadata> {
    return guarded(() => {
      const { tenantId } = context;
      const { hash, size } = artifact;
      this.#log.act(context, () => {
        const isNew = this.#tables.put(tenantId, artifact, true) || this.#pin.run(tenantId, hash).changes === 1;
        return isNew ? { type: 'artifact_stored', data: JSON.stringify({ hash, size }) } : null;
      });
      return this.#head.get(tenantId, hash) ?? artifact;
    });
  }

  get(tenantId: string, hash: string): Promise<Artifact | null> {
    return guarded(() => this.#content.get(tenantId, hash) ?? null);
  }
}
