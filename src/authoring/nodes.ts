import { isMap } from 'yaml';
import type { Json } from '../../machines/json.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import { durationOf } from './durations.ts';
import { nextOf } from './edges.ts';
import { kindWritten, readKind } from './kinds.ts';
import { MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import type { NodeReader } from './node-reader.ts';
import { labelsOf, policyOf } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { RecordedSourceMap } from './source-map.ts';
import type { TargetResolver } from './targets.ts';

/** One section per node; a node that is no map is noted and left out. */
export function nodeSections(nodes: MapReader): readonly { readonly id: string; readonly section: MapReader }[] {
  return nodes.fields.flatMap((field) => {
    if (isMap(field.value)) {
      const section = new MapReader(field.value, field.keyOffset, `node "${field.key}"`, nodes.source, field.key);
      return [{ id: field.key, section }];
    }
    nodes.source.findings.error('wrong_type', `node "${field.key}" must be a map of its keys`, field.at, {
      node_id: field.key,
      hint: 'write at least "type: …" below it',
    });
    return [];
  });
}

/** The type as written; a node that does not say is a tool. */
export function typeOf(section: MapReader): string {
  return section.text('type', 'kind')?.value ?? 'tool';
}

export function readNode(id: string, section: MapReader, targets: TargetResolver, places: RecordedSourceMap): NodeDraft {
  const path = `nodes.${id}`;
  places.record(path, section.at);
  const written = typeOf(section);
  const definition = kindWritten(written);
  const kind: Record<string, Json> = { type: definition?.type ?? written };
  places.record(`${path}.kind.type`, section.find('type', 'kind')?.at ?? section.at);

  const reading: NodeReader = { section, id, targets, places, kind };
  const next = definition?.syntax.next === false ? null : nextOf(section, id, targets);
  if (definition !== null) readKind(definition, reading);
  const node = readNodeKeys(reading, definition);
  if (definition === null) keepUnread(reading);
  else section.warnOfUnread();
  return { id, at: section.at, kind, node, next };
}

/** What a node of any kind may say. */
function readNodeKeys({ section, id, places }: NodeReader, definition: KindDefinition<Kind> | null): Record<string, Json> {
  const node: Record<string, Json> = {};
  const put = (key: string, found: { readonly value: Json; readonly at: number } | null) => {
    if (found === null) return;
    node[key] = found.value;
    places.record(`nodes.${id}.${key}`, found.at);
  };
  const limitsAttempts = definition === null || (definition.syntax.attempts ?? true);
  if (limitsAttempts) {
    put('retry_policy', section.text('retry_policy'));
    const retry = section.map(`retry of node "${id}"`, 'retry');
    if (retry !== null) {
      places.recordAll(`nodes.${id}.retry`, retry);
      put('retry', { value: retryPolicy(retry), at: retry.at });
    }
  }
  if (limitsAttempts) {
    const timeout =
      section.find('node_timeout_secs') === null ? durationOf(section, 'timeout') : section.seconds(['node_timeout_secs']);
    put('node_timeout_secs', timeout);
  }
  put('description', section.text('description'));
  put('labels', labelsOf(section));
  put('policy', policyOf(section));
  put('data_policy', section.json('data_policy'));
  return node;
}

/** A type that is unknown here keeps its keys: whether it exists is the document's concern. */
function keepUnread({ section, id, kind, places }: NodeReader): void {
  for (const { key, at } of section.unread()) {
    const found = section.json(key);
    if (found === null) continue;
    kind[key] = found.value;
    places.record(`nodes.${id}.kind.${key}`, at);
  }
}
