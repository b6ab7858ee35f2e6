import { hash } from 'node:crypto';
import type { LogEvent } from '../../machines/events.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Artifact } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { RuntimeError } from './errors.ts';

/**
 * An output too large for the log is kept as an artifact of the same commit; the event holds `{"$artifact": {hash, size, media_type}}`
 * instead. Only this key beside it makes it a reference: an output that merely looks like one stays what it is.
 */
const SPILLED = 'output_spilled';
const MEDIA_TYPE = 'application/json';
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const BYTES_PER_CHAR = 3;

/** Null = the event stays as it is. `data` is the event's data as JSON text; a threshold of 0 spills nothing. */
export function spill(
  event: LogEvent,
  data: string,
  thresholdBytes: number,
  nowMs: number,
): { readonly data: string; readonly artifact: Artifact } | null {
  // Nearly every event ends here.
  if (data.length * BYTES_PER_CHAR <= thresholdBytes || thresholdBytes === 0) return null;
  const { output } = event.data;
  if (event.type !== 'node_completed' || output === undefined || Buffer.byteLength(data) <= thresholdBytes) return null;
  const content = Buffer.from(JSON.stringify(output));
  const size = content.length;
  if (size <= thresholdBytes) return null;
  const artifact: Artifact = {
    hash: hash('sha256', content, 'hex'),
    mediaType: MEDIA_TYPE,
    size,
    createdAtMs: nowMs,
    content,
  };
  const reference = { $artifact: { hash: artifact.hash, size, media_type: MEDIA_TYPE } };
  return { data: JSON.stringify({ ...event.data, output: reference, [SPILLED]: true }), artifact };
}

/** Bytes of the output that the event refers to; 0 = it holds its output itself. */
export function spilledBytes(type: string, data: JsonObject): number {
  return type === 'node_completed' && data[SPILLED] === true ? Number(referenceOf(data).size) : 0;
}

/** The data with its output in place, as the step logged it. Throws `corrupt` when the artifact is gone. */
export async function restored(store: Store, tenantId: string, data: JsonObject): Promise<JsonObject> {
  return restoredFrom(await spilledArtifact(store, tenantId, data), data);
}

/** What the event refers to. Throws `corrupt` when it is gone. */
export async function spilledArtifact(store: Store, tenantId: string, data: JsonObject): Promise<Artifact> {
  const key = String(referenceOf(data).hash);
  const artifact = await store.artifacts.get(tenantId, key);
  if (artifact === null) throw new RuntimeError('corrupt', `artifact ${key}, which the log refers to, is not in the store`);
  return artifact;
}

export function restoredFrom({ content }: Artifact, data: JsonObject): JsonObject {
  return withOutput(data, JSON.parse(Buffer.from(content).toString('utf8')) as Json);
}

/** The data as readers get it when the artifact is gone. */
export function unresolved(data: JsonObject): JsonObject {
  return withOutput(data, { $artifact: { ...referenceOf(data), unresolved: true } });
}

function withOutput(data: JsonObject, output: Json): JsonObject {
  const { [SPILLED]: _mark, ...rest } = data;
  return { ...rest, output };
}

function referenceOf({ output }: JsonObject): JsonObject {
  return isObject(output) && isObject(output.$artifact) ? output.$artifact : {};
}
