import type { ActionContext } from '../port/control.ts';
import type { Artifact, ArtifactMetadata, ArtifactStore } from '../port/resources/artifacts.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/artifacts.ts';
import { all, get, run, type Script } from './script.ts';

/** Uploads and reads; each engine's commit writes offloaded artifacts. */
export class Artifacts implements ArtifactStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  put(artifact: Artifact, context: ActionContext): Promise<ArtifactMetadata> {
    return this.#db.act(context, function* () {
      const { hash, size } = artifact;
      const values = { ...artifact, tenantId: context.tenantId, pinned: true };
      const isNew = (yield* run(sql.INSERT_ARTIFACT, values)) === 1 || (yield* run(sql.PIN_ARTIFACT, values)) === 1;
      const result = (yield* get(sql.ARTIFACT_METADATA, values)) ?? artifact;
      return { event: isNew ? { type: 'artifact_stored', data: JSON.stringify({ hash, size }) } : null, result };
    });
  }

  get(tenantId: string, hash: string): Promise<Artifact | null> {
    return this.#db.tenant(tenantId).get(sql.ARTIFACT_CONTENT, { tenantId, hash });
  }
}

/** Drops the references of executions that are being removed, and the artifacts that nothing else refers to. */
export function* releaseArtifacts(tenantId: string, ids: readonly string[]): Script<void> {
  const hashes = (yield* all(sql.DELETE_REFERENCES, { tenantId, ids })).map(({ hash }) => hash);
  if (hashes.length === 0) return;
  yield* all(sql.LOCK_ARTIFACTS, { tenantId, hashes });
  yield* run(sql.DELETE_UNREFERENCED, { tenantId, hashes });
}
