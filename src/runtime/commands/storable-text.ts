import type { Json } from '../../../machines/json.ts';
import { pathOfIllFormedText } from '../../../machines/unicode.ts';
import { RuntimeError, truncated } from '../errors.ts';
import type { Decision, KeyedEventRequest, UpdateRequest } from '../types/executions.ts';
import type { ForkRequest } from '../types/history.ts';
import type { ServerStartRequest } from '../types/server-runtime.ts';

/**
 * The texts of a request. Names are stored in columns, which cannot hold NUL characters; values are stored as JSON text, which
 * can.
 */
export interface RequestTexts {
  readonly names?: Readonly<Record<string, string | null | undefined>>;
  readonly values?: Readonly<Record<string, Json | undefined>>;
}

/** Throws `bad_request`, which names the place, for text that cannot be stored unchanged. */
export function assertStorable({ names = {}, values = {} }: RequestTexts): void {
  for (const [name, text] of Object.entries(names)) {
    if (typeof text !== 'string') continue;
    if (!text.isWellFormed()) throw invalidUnicode(name);
    if (text.includes('\0')) throw new RuntimeError('bad_request', `${name} has a NUL character`);
  }
  for (const [name, value] of Object.entries(values)) {
    const path = pathOfIllFormedText(value);
    if (path !== null) throw invalidUnicode(path === '' || path.startsWith('[') ? `${name}${path}` : `${name}.${path}`);
  }
}

/** The error for a text or a key at `path` that is not valid Unicode. */
export function invalidUnicode(path: string): RuntimeError {
  return new RuntimeError('bad_request', `${truncated(path)} has text that is not valid Unicode (an unpaired surrogate)`);
}

/** The texts of each request, by the names of the REST API. */
export const requestTexts = {
  start({ workflowId, version, input, labels, systemLabels, idempotencyKey }: ServerStartRequest): RequestTexts {
    const texts = Object.entries({ ...labels, ...systemLabels }).flatMap(([key, value]) => [
      [`the key ${JSON.stringify(truncated(key))} of labels`, key],
      [`labels.${key}`, value],
    ]);
    const names = { workflow_id: workflowId, workflow_version: version, idempotency_key: idempotencyKey };
    return { names: { ...names, ...Object.fromEntries(texts) }, values: { input } };
  },
  decision({ nodeId, userId, comment, statePatch }: Decision): RequestTexts {
    return { names: { node_id: nodeId, user_id: userId, comment }, values: { state_patch: statePatch } };
  },
  event({ key, payload, idempotencyKey }: { key: string; payload: Json; idempotencyKey?: string }): RequestTexts {
    return { names: { correlation_key: key, idempotency_key: idempotencyKey }, values: { payload } };
  },
  keyedEvent({ workflowId, executionKey, start, ...event }: KeyedEventRequest): RequestTexts {
    const { names, values } = requestTexts.event(event);
    const started = requestTexts.start({ workflowId, ...start });
    return {
      names: Object.assign({ key: executionKey }, started.names, names),
      values: Object.assign({ 'start.input': start?.input }, values),
    };
  },
  update({ name, input, idempotencyKey }: UpdateRequest): RequestTexts {
    return { names: { name, idempotency_key: idempotencyKey }, values: { input } };
  },
  fork({ statePatch, workflowVersion, idempotencyKey }: ForkRequest): RequestTexts {
    return {
      names: { workflow_version: workflowVersion, idempotency_key: idempotencyKey },
      values: { state_patch: statePatch },
    };
  },
};
