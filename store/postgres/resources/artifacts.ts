import type { ExecutionWrite } from '../../port/commit.ts';
import type { ActionContext } from '../../port/control.ts';
import type { Artifact, ArtifactMetadata, ArtifactStore } from '../../port/resources/artifacts.ts';
import type { Connections, Queries, Value } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/artifacts.ts';
import { first } from '../runtime-reads.ts';

export class Artifacts implements ArtifactStore {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  async put(artifact: Artifact, context: ActionContext): Promise<ArtifactMetadata> {
    const { tenantId } = context;
    const { hash, size } = artifact;
    let head: ArtifactMetadata | null = null;
    await this.#log.act(context, async (queries) => {
      const isNew =
        (await queries.query(sql.PUT_ARTIFACT, artifactValues(tenantId, artifact))).length === 1 ||
        (await queries.query(sql.PIN_ARTIFACT, [tenantId, hash])).length === 1;
      head = first(await queries.query<ArtifactMetadata>(sql.ARTIFACT_HEAD, [tenantId, hash]));
      return isNew ? { type: 'artifact_stored', data: JSON.stringify({ hash, size }) } : null;
    });
    return head ?? artifact;
  }

  async get(tenantId: string, hash: string): Promise<Artifact | null> {
    return first(await this.#connections.asTenant<Artifact>(tenantId, sql.ARTIFACT_CONTENT, [tenantId, hash]));
  }
}

/** Values of `SPILL`: what a commit's events refer to. The same order for everyone, so that commits do not wait for each other in a circle. */
export function offloadedBy(writes: readonly ExecutionWrite[]): readonly (readonly Value[])[] {
  return writes
    .flatMap(({ id, tenantId, offloaded: spilled = [] }) => spilled.map((artifact) => ({ id, tenantId, artifact })))
    .sort((a, b) => order(a.tenantId, b.tenantId) || order(a.artifact.hash, b.artifact.hash))
    .map(({ id, tenantId, artifact }) => [...artifactValues(tenantId, artifact), id]);
}

/** An execution goes, and with it what only it referred to. Answers how many artifacts were dropped. */
export async function releaseArtifacts(queries: Queries, tenantId: string, executionId: string): Promise<number> {
  const released = await queries.query<{ hash: string }>(sql.RELEASE, [executionId, tenantId]);
  if (released.length === 0) return 0;
  const hashes = released.map(({ hash }) => hash);
  await queries.query(sql.LOCK_ARTIFACTS, [tenantId, hashes]);
  return (await queries.query(sql.DROP_UNREFERRED, [tenantId, hashes])).length;
}

function artifactValues(
  tenantId: string,
  { hash, mediaType, size, createdAtMs, content }: Artifact,
): readonly (string | number | null | Buffer)[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return [tenantId, hash, mediaType, size, createdAtMs, bytes];
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
