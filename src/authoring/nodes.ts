import { isMap } from 'yaml';
import type { Json } from '../../machines/json.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import { readDuration } from './durations.ts';
import { readNext } from './edges.ts';
import { definitionWritten, readKind } from './kinds.ts';
import { type Located, MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import type { NodeReading } from './node-reader.ts';
import { readLabels, readPolicy } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { RecordedSourceMap } from './source-map.ts';
import type { TargetResolver } from './targets.ts';

/** A reader for each node. A node that is no map is noted and left out. */
export function nodeReaders(nodes: MapReader): readonly { readonly id: string; readonly reader: MapReader }[] {
  return nodes.fields.flatMap((field) => {
    if (isMap(field.value)) {
      const reader = new MapReader(field.value, field.keyOffset, `node "${field.key}"`, nodes.source, field.key);
      return [{ id: field.key, reader }];
    }
    nodes.source.findings.error('wrong_type', `node "${field.key}" must be a map of its keys`, field.offset, {
      node_id: field.key,
      hint: 'write at least "type: …" below it',
    });
    return [];
  });
}

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
  const next = definition?.syntax.next === false ? null : readNext(reader, id, targets);
  if (definition !== null) readKind(definition, reading);
  const node = readNodeKeys(reading, definition);
  if (definition === null) copyUnreadKeys(reading);
  else reader.warnAboutUnread();
  return { id, offset: reader.offset, kind, node, next };
}

/** The keys of the node itself, beside its kind. */
function readNodeKeys({ reader, id, sourceMap }: NodeReading, definition: KindDefinition<Kind> | null): Record<string, Json> {
  const node: Record<string, Json> = {};
  const put = (key: string, found: Located<Json> | null) => {
    if (found === null) return;
    node[key] = found.value;
    sourceMap.record(`nodes.${id}.${key}`, found.offset);
  };
  const limitsAttempts = definition === null || (definition.syntax.attempts ?? true);
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
  put('description', reader.text('description'));
  put('labels', readLabels(reader));
  put('policy', readPolicy(reader));
  put('data_policy', reader.json('data_policy'));
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
