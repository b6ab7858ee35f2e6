import { hash } from 'node:crypto';
import type { LogEvent } from '../../../machines/events.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import { RuntimeError } from '../errors.ts';

/**
 * An output, or a state that an event tells of, too large for the log is kept as an artifact of the same commit; the event holds
 * `{"$artifact": {hash, size, media_type}}` instead. Only the mark beside it makes it a reference: an output that merely looks like one stays
 * what it is.
 */
const OUTPUT: PayloadField = { field: 'output', mark: 'output_spilled' };
const PAYLOAD_FIELDS: Readonly<Partial<Record<string, PayloadField>>> = {
  node_completed: OUTPUT,
  interrupt_raised: { field: 'state_for_review', mark: 'state_spilled' },
  workflow_completed: { field: 'final_state', mark: 'state_spilled' },
};

interface PayloadField {
  readonly field: string;
  readonly mark: string;
}

const MEDIA_TYPE = 'application/json';
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const BYTES_PER_CHAR = 3;

/** Null = the event stays as it is. `data` is the event's data as JSON text; a threshold of 0 spills nothing. */
export function offload(
  event: LogEvent,
  data: string,
  thresholdBytes: number,
  nowMs: number,
): { readonly data: string; readonly artifact: Artifact } | null {
  // Nearly every event ends here.
  if (data.length * BYTES_PER_CHAR <= thresholdBytes || thresholdBytes === 0) return null;
  const place = PAYLOAD_FIELDS[event.type];
  const value = place === undefined ? undefined : event.data[place.field];
  if (place === undefined || value === undefined || Buffer.byteLength(data) <= thresholdBytes) return null;
  const content = Buffer.from(JSON.stringify(value));
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
  return { data: JSON.stringify({ ...event.data, [place.field]: reference, [place.mark]: true }), artifact };
}

/** Bytes of what the event refers to; 0 = it holds everything itself. */
export function offloadedBytes(type: string, data: JsonObject): number {
  const place = PAYLOAD_FIELDS[type];
  return place !== undefined && data[place.mark] === true ? Number(referenceIn(data, place).size) : 0;
}

/** The same of what a replay needs: a state follows from the log. */
export function offloadedReplayBytes(type: string, data: JsonObject): number {
  return type === 'node_completed' ? offloadedBytes(type, data) : 0;
}

/** The data as a replay compares it: without a state that is kept elsewhere. */
export function withoutOffloadedState(type: string, data: JsonObject): JsonObject {
  const place = PAYLOAD_FIELDS[type];
  if (place === undefined || place === OUTPUT || data[place.mark] !== true) return data;
  const { [place.field]: _state, [place.mark]: _mark, ...rest } = data;
  return rest;
}

/** The data with what it refers to in place, as the step logged it. Throws `corrupt` when the artifact is gone. */
export async function restorePayload(store: ExecutionStore, tenantId: string, data: JsonObject): Promise<JsonObject> {
  return withPayload(await offloadedArtifact(store, tenantId, data), data);
}

/** What the event refers to. Throws `corrupt` when it is gone. */
export async function offloadedArtifact(store: ExecutionStore, tenantId: string, data: JsonObject): Promise<Artifact> {
  const key = String(referenceIn(data, payloadFieldIn(data)).hash);
  const artifact = await store.artifacts.get(tenantId, key);
  if (artifact === null) throw new RuntimeError('corrupt', `artifact ${key}, which the log refers to, is not in the store`);
  return artifact;
}

export function withPayload({ content }: Artifact, data: JsonObject): JsonObject {
  return withValue(data, JSON.parse(Buffer.from(content).toString('utf8')) as Json);
}

/** The data as readers get it when the artifact is gone. */
export function withUnresolvedPayload(data: JsonObject): JsonObject {
  return withValue(data, { $artifact: { ...referenceIn(data, payloadFieldIn(data)), unresolved: true } });
}

function withValue(data: JsonObject, value: Json): JsonObject {
  const { field, mark } = payloadFieldIn(data);
  const { [mark]: _mark, ...rest } = data;
  return { ...rest, [field]: value };
}

function payloadFieldIn(data: JsonObject): PayloadField {
  return (
    Object.values(PAYLOAD_FIELDS).find(
      (place) => place !== undefined && data[place.mark] === true && Object.hasOwn(data, place.field),
    ) ?? OUTPUT
  );
}

function referenceIn(data: JsonObject, { field }: PayloadField): JsonObject {
  const value = data[field];
  return isObject(value) && isObject(value.$artifact) ? value.$artifact : {};
}
