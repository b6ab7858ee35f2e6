import { MapReader, readItem } from './map-reader.ts';
import { isMap, isSeq } from './tree.ts';
import { type Field, fieldsOf } from './values.ts';

/** A node as it is written: its id and its keys. */
export interface NodeEntry {
  readonly id: string;
  readonly reader: MapReader;
}

/** The nodes of a map by id, or of a list of nodes with an `id`. A node that cannot be read is noted and left out. */
export function nodeEntries(nodes: Field, top: MapReader): readonly NodeEntry[] {
  const { value } = nodes;
  const entries = isSeq(value) ? listed(value.items, top) : mapped(new MapReader(value, nodes.keyOffset, 'nodes', top.source));
  return entries.map(({ id, reader }) => ({ id, reader: withConfig(id, reader) }));
}

function mapped(nodes: MapReader): readonly NodeEntry[] {
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

function listed(items: readonly unknown[], top: MapReader): readonly NodeEntry[] {
  const ids = new Set<string>();
  return items.flatMap((item, i): NodeEntry[] => {
    const read = readItem(item, `node ${i + 1}`, top, 'a map with an id');
    if (!(read instanceof MapReader)) {
      if (read !== null) top.error('wrong_type', `node ${i + 1} must be a map with an id, not "${read.value}"`, read.offset);
      return [];
    }
    const id = read.text('id');
    if (id === null) top.error('missing_key', `node ${i + 1} has no id`, read.offset, 'write "id: …"');
    else if (ids.has(id.value))
      top.error('duplicate_node', `two nodes have the id "${id.value}"`, id.offset, 'rename one of them');
    if (id === null || ids.has(id.value)) return [];
    ids.add(id.value);
    const reader = isMap(item) ? new MapReader(item, id.offset, `node "${id.value}"`, top.source, id.value) : read;
    reader.find('id');
    return [{ id: id.value, reader }];
  });
}

/** The node with the keys of its `config` as its own. */
function withConfig(id: string, reader: MapReader): MapReader {
  const config = reader.fields.find(({ key }) => key === 'config');
  if (config === undefined || !isMap(config.value)) return reader;
  const fields = new Map<string, Field>(reader.fields.flatMap((field) => (field === config ? [] : [[field.key, field]])));
  for (const [key, field] of fieldsOf(config.value, reader.source)) {
    const other = fields.get(key);
    if (other !== undefined && other.value !== null)
      reader.error('given_twice', `"${key}" is in "config" and beside it`, field.keyOffset, 'remove one of the two');
    fields.set(key, field);
  }
  const merged = new MapReader(fields, reader.offset, reader.name, reader.source, reader.nodeId);
  if (reader.fields.some(({ key }) => key === 'id') && merged.text('id')?.value === id) merged.find('id');
  return merged;
}
