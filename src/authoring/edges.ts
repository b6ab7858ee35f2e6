import { isMap, isSeq } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { kindWritten } from './kinds.ts';
import { itemOf, type MapReader, textOf } from './map-reader.ts';
import { hasBranches, type NodeDraft } from './node-draft.ts';
import type { RecordedSourceMap } from './source-map.ts';
import { type Route, recordRoute, routeOf, type TargetResolver } from './targets.ts';

const WANTED = 'the id of a node, {when: <condition>, to: <node>} or {else: <node>}';

/** `next: node`, `next: [node, …]`, `next: [{when, to}, …, {else}]`; null when the node does not say. */
export function nextOf(section: MapReader, id: string, targets: TargetResolver): readonly Route[] | null {
  const field = section.find('next');
  if (field === null || field.value === null) return null;
  const text = textOf(field.value);
  if (text !== null) return [{ to: { value: targets.resolve(text), at: field.at }, condition: null }];
  if (!isMap(field.value) && !isSeq(field.value)) {
    section.wrongType(field, WANTED);
    return null;
  }
  const items = isSeq(field.value) ? field.value.items : [field.value];
  const routes = items.flatMap((item, index) => {
    const read = itemOf(item, `"next" ${index + 1} of node "${id}"`, section, WANTED);
    const route = read === null ? null : routeOf(read, targets);
    return route === null ? [] : [route];
  });
  return routes.length === 0 ? null : routes;
}

/**
 * The document's edges. A node that does not say where it leads leads to the end, except:
 * - a condition node with branches and a parallel node with branches lead there and nowhere else;
 * - the first node of a branch leads to its parallel node's `join`;
 * - an approval that is routed by `on_approved` goes on there.
 */
export function edgesOf(drafts: readonly NodeDraft[], places: RecordedSourceMap): Json[] {
  const joins = joinsOfHeads(drafts);
  const edges: Json[] = [];
  const add = (from: string, route: Route) => {
    const path = `edges.${edges.length}`;
    recordRoute(places, path, 'to', route);
    places.record(`${path}.from`, route.to.at);
    edges.push({ from, to: route.to.value, condition: route.condition?.value ?? null });
  };
  for (const draft of drafts) {
    for (const route of draft.next ?? implied(draft, joins)) {
      if (!hasBranches(draft, 'choice')) add(draft.id, route);
    }
  }
  return edges;
}

function implied(draft: NodeDraft, joins: ReadonlyMap<string, readonly string[]>): readonly Route[] {
  if (hasBranches(draft, 'choice') || hasBranches(draft, 'all')) return [];
  if (draft.kind.on_approved !== undefined || kindWritten(draft.kind.type)?.syntax.next === false) return [];
  const targets = joins.get(draft.id) ?? ['end'];
  return targets.map((value) => ({ to: { value, at: draft.at }, condition: null }));
}

/** First node of a branch → the joins its parallel nodes name. */
function joinsOfHeads(drafts: readonly NodeDraft[]): ReadonlyMap<string, readonly string[]> {
  const joins = new Map<string, string[]>();
  for (const { kind } of drafts) {
    const { type, branches, join } = kind;
    if (kindWritten(type)?.branching !== 'all' || typeof join !== 'string' || !Array.isArray(branches)) continue;
    for (const head of branches as readonly Json[]) {
      if (typeof head === 'string' && head !== join) joins.set(head, [...new Set([...(joins.get(head) ?? []), join])]);
    }
  }
  return joins;
}
