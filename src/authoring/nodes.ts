import { isObject, type Json } from '../../machines/json.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import { withTemplatedVariables } from './addresses.ts';
import { readDuration } from './durations.ts';
import { readNext } from './edges.ts';
import { definitionWritten, readKind } from './kinds.ts';
import type { Located, MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import type { NodeReading } from './node-reader.ts';
import { readLabels, readPolicy } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { RecordedSourceMap } from './source-map.ts';
import type { TargetResolver } from './targets.ts';

/** The type as it is written. Default: `tool`. */
export function writtenType(reader: MapReader): string {
  return reader.text('type', 'kind')?.value ?? 'tool';
}

export function readNode(id: string, reader: MapReader, targets: TargetResolver, sourceMap: RecordedSourceMap): NodeDraft {
  const path = `nodes.${id}`;
  sourceMap.record(path, reader.offset);
  const written = writtenType(reader);
  const definition = definitionWritten(written);
  const kind: Record<string, Json> = { type: definition?.type ?? written };
  sourceMap.record(`${path}.kind.type`, reader.find('type', 'kind')?.offset ?? reader.offset);

  const reading: NodeReading = { reader, id, targets, sourceMap, kind };
  const next = definition?.declaration.next === false ? null : readNext(reader, id, targets);
  if (definition !== null) {
    readKind(definition, reading);
    readStateInputs(definition, reading);
  }
  const node = readNodeKeys(reading, definition);
  if (definition === null) copyUnreadKeys(reading);
  else reader.warnAboutUnread();
  return { id, offset: reader.offset, kind: withTemplatedVariables(kind), node, next };
}

/** `input_from_state: {input: state key}`, a form of the input mapping. */
function readStateInputs({ declaration }: KindDefinition<Kind>, { reader, kind, id, sourceMap }: NodeReading): void {
  if (!Object.hasOwn(declaration.fields, 'input_mapping')) return;
  const inputs = reader.map(`input_from_state of node "${id}"`, 'input_from_state');
  if (inputs === null) return;
  const mapped = inputs.fields.flatMap(({ key }): [string, string][] => {
    const from = inputs.text(key);
    if (from === null) return [];
    return [
      [
        key,
        /^[\p{ID_Start}_][\p{ID_Continue}.]*$/u.test(from.value)
          ? `{{ state.${from.value} }}`
          : `{{ state[${JSON.stringify(from.value)}] }}`,
      ],
    ];
  });
  kind.input_mapping = { ...(isObject(kind.input_mapping) ? kind.input_mapping : {}), ...Object.fromEntries(mapped) };
  sourceMap.record(`nodes.${id}.kind.input_mapping`, inputs.offset);
}

/** Keys of the node itself that are copied as they are. */
const SETTINGS = ['data_policy', 'autonomy', 'circuit_breaker_threshold', 'oauth_scopes', 'required_scopes'];

/** The keys of the node itself, beside its kind. */
function readNodeKeys({ reader, id, sourceMap }: NodeReading, definition: KindDefinition<Kind> | null): Record<string, Json> {
  const node: Record<string, Json> = {};
  const put = (key: string, found: Located<Json> | null) => {
    if (found === null) return;
    node[key] = found.value;
    sourceMap.record(`nodes.${id}.${key}`, found.offset);
  };
  const limitsAttempts = definition === null || (definition.declaration.attempts ?? true);
  if (limitsAttempts) {
    put('retry_policy', reader.text('retry_policy'));
    const retry = reader.map(`retry of node "${id}"`, 'retry');
    if (retry !== null) {
      sourceMap.recordAll(`nodes.${id}.retry`, retry);
      put('retry', { value: retryPolicy(retry), offset: retry.offset });
    }
    const timeout =
      reader.find('node_timeout_secs') === null ? readDuration(reader, 'timeout') : reader.seconds(['node_timeout_secs']);
    put('node_timeout_secs', timeout);
  }
  const label = reader.text('label');
  put('description', reader.text('description') ?? label);
  put('labels', readLabels(reader));
  put('policy', readPolicy(reader));
  for (const key of SETTINGS) put(key, reader.json(key));
  return node;
}

/** Copies the keys of an unknown type, which the validation of the document refuses. */
function copyUnreadKeys({ reader, id, kind, sourceMap }: NodeReading): void {
  for (const { key, offset: at } of reader.unread()) {
    const found = reader.json(key);
    if (found === null) continue;
    kind[key] = found.value;
    sourceMap.record(`nodes.${id}.kind.${key}`, at);
  }
}
