import { hash } from 'node:crypto';
import type { LogEvent } from '../../../machines/events/index.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import { RuntimeError } from '../errors.ts';

/**
 * An output, an input or a state that is too large for the log is stored as an artifact in the same commit, and the event holds
 * `{"$artifact": {hash, size, media_type}}` instead. Only the mark beside it makes that a reference, so an output that merely
 * looks like one is kept as it is.
 */
const OUTPUT: PayloadField = { field: 'output', mark: 'output_spilled' };
const PAYLOAD_FIELDS: Readonly<Partial<Record<string, PayloadField>>> = {
  node_completed: OUTPUT,
  node_started: { field: 'input', mark: 'input_offloaded' },
  interrupt_raised: { field: 'state_for_review', mark: 'state_spilled' },
  workflow_completed: { field: 'final_state', mark: 'state_spilled' },
};

interface PayloadField {
  readonly field: string;
  readonly mark: string;
}

const MEDIA_TYPE = 'application/json';
/** The most bytes of JSON text for one character that `charsUpTo` counts. */
const BYTES_PER_CHAR = 6;

/** Null: the event stays as it is. `chars` is the size of its data as `charsUpTo` counts it; with a threshold of 0, nothing is offloaded. */
export function offload(
  event: LogEvent,
  chars: number,
  thresholdBytes: number,
  nowMs: number,
): { readonly data: JsonObject; readonly artifact: Artifact } | null {
  // The usual case, decided without measuring the bytes.
  if (chars * BYTES_PER_CHAR <= thresholdBytes || thresholdBytes === 0) return null;
  const payload = PAYLOAD_FIELDS[event.type];
  const value = payload === undefined ? undefined : event.data[payload.field];
  if (payload === undefined || value === undefined) return null;
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
  return { data: { ...event.data, [payload.field]: reference, [payload.mark]: true }, artifact };
}

/** The size of the event's offloaded payload in bytes; 0 = it has none. */
export function offloadedBytes(type: string, data: JsonObject): number {
  const payload = PAYLOAD_FIELDS[type];
  return payload !== undefined && data[payload.mark] === true ? Number(referenceIn(data, payload).size) : 0;
}

/** The same, if a replay needs the payload: it does not need a state. */
export function offloadedReplayBytes(type: string, data: JsonObject): number {
  return type === 'node_completed' ? offloadedBytes(type, data) : 0;
}

/** The data as a replay compares it: without an offloaded state. */
export function withoutOffloadedState(type: string, data: JsonObject): JsonObject {
  const payload = PAYLOAD_FIELDS[type];
  if (payload === undefined || payload === OUTPUT || data[payload.mark] !== true) return data;
  const { [payload.field]: _state, [payload.mark]: _mark, ...rest } = data;
  return rest;
}

/** The data with its payload in payload, as the step logged it. Throws `corrupt` when the artifact is missing. */
export async function restorePayload(store: ExecutionStore, tenantId: string, data: JsonObject): Promise<JsonObject> {
  return withPayload(await offloadedArtifact(store, tenantId, data), data);
}

/** The event's offloaded payload. Throws `corrupt` when it is missing. */
export async function offloadedArtifact(store: ExecutionStore, tenantId: string, data: JsonObject): Promise<Artifact> {
  const key = String(referenceIn(data, payloadFieldIn(data)).hash);
  const artifact = await store.artifacts.get(tenantId, key);
  if (artifact === null) throw new RuntimeError('corrupt', `artifact ${key}, to which the log refers, not found in the store`);
  return artifact;
}

export function withPayload({ content }: Artifact, data: JsonObject): JsonObject {
  return withValue(data, JSON.parse(Buffer.from(content).toString('utf8')) as Json);
}

/** The data as readers get it when the artifact is missing. */
export function withUnresolvedPayload(data: JsonObject): JsonObject {
  return withValue(data, { $artifact: Object.assign({}, referenceIn(data, payloadFieldIn(data)), { unresolved: true }) });
}

function withValue(data: JsonObject, value: Json): JsonObject {
  const { field, mark } = payloadFieldIn(data);
  const { [mark]: _mark, ...rest } = data;
  return { ...rest, [field]: value };
}

function payloadFieldIn(data: JsonObject): PayloadField {
  return (
    Object.values(PAYLOAD_FIELDS).find(
      (payload) => payload !== undefined && data[payload.mark] === true && Object.hasOwn(data, payload.field),
    ) ?? OUTPUT
  );
}

function referenceIn(data: JsonObject, { field }: PayloadField): JsonObject {
  const value = data[field];
  return isObject(value) && isObject(value.$artifact) ? value.$artifact : {};
}
