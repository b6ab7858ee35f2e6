import type { Json } from '../../machines/json.ts';
import { definitionWritten } from './kinds.ts';
import { type MapReader, readItem, scalarText } from './map-reader.ts';
import { hasBranches, type NodeDraft } from './node-draft.ts';
import type { RecordedSourceMap } from './source-map.ts';
import { type Route, readRoute, recordRoute, type TargetResolver } from './targets.ts';
import { isMap, isSeq } from './tree.ts';

const WANTED = 'the id of a node, {when: <condition>, to: <node>} or {else: <node>}';

/** `next: node`, `next: [node, …]`, `next: [{when, to}, …, {else}]`, or the same as `edges`; null when the node has neither. */
export function readNext(reader: MapReader, id: string, targets: TargetResolver): readonly Route[] | null {
  const field = reader.find('next', 'edges');
  if (field === null || field.value === null) return null;
  const text = scalarText(field.value);
  if (text !== null) return [{ to: { value: targets.resolve(text), offset: field.offset }, condition: null }];
  if (!isMap(field.value) && !isSeq(field.value)) {
    reader.wrongType(field, WANTED);
    return null;
  }
  const items = isSeq(field.value) ? field.value.items : [field.value];
  const routes = items.flatMap((item, index) => {
    const read = readItem(item, `"${field.key}" ${index + 1} of node "${id}"`, reader, WANTED);
    const route = read === null ? null : readRoute(read, targets);
    return route === null ? [] : [route];
  });
  return routes.length === 0 ? null : routes;
}

/**
 * The edges of the document. A node without `next` leads to the end, except:
 * - a node that lists branches leads to them only;
 * - the first node of a branch leads to the `join` of its parallel node;
 * - an approval with `on_approved` leads there.
 */
export function documentEdges(drafts: readonly NodeDraft[], sourceMap: RecordedSourceMap): Json[] {
  const joins = joinsByBranchHead(drafts);
  const edges: Json[] = [];
  const add = (from: string, route: Route) => {
    const path = `edges.${edges.length}`;
    recordRoute(sourceMap, path, 'to', route);
    sourceMap.record(`${path}.from`, route.to.offset);
    edges.push({ from, to: route.to.value, condition: route.condition?.value ?? null });
  };
  for (const draft of drafts) {
    for (const route of draft.next ?? impliedRoutes(draft, joins)) {
      if (!hasBranches(draft, 'choice')) add(draft.id, route);
    }
  }
  return edges;
}

function impliedRoutes(draft: NodeDraft, joins: ReadonlyMap<string, readonly string[]>): readonly Route[] {
  if (hasBranches(draft, 'choice') || hasBranches(draft, 'all')) return [];
  if (draft.kind.on_approved !== undefined || definitionWritten(draft.kind.type)?.declaration.next === false) return [];
  const targets = joins.get(draft.id) ?? ['end'];
  return targets.map((value) => ({ to: { value, offset: draft.offset }, condition: null }));
}

/** The joins that parallel nodes name, by the first node of each branch. */
function joinsByBranchHead(drafts: readonly NodeDraft[]): ReadonlyMap<string, readonly string[]> {
  const joins = new Map<string, string[]>();
  for (const { kind } of drafts) {
    const { type, branches, join } = kind;
    if (definitionWritten(type)?.branching !== 'all' || typeof join !== 'string' || !Array.isArray(branches)) continue;
    for (const head of branches as readonly Json[]) {
      if (typeof head === 'string' && head !== join) joins.set(head, [...new Set([...(joins.get(head) ?? []), join])]);
    }
  }
  return joins;
}
