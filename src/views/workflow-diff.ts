import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { type Change, stateDiff } from './state-diff.ts';

/** How one workflow document differs from another, by node. */
export interface WorkflowDiff {
  /** Changes outside nodes and edges; paths are JSON pointers into the document. */
  readonly settings: readonly Change[];
  readonly nodes: readonly NodeDiff[];
  readonly edges: { readonly removed: readonly JsonObject[]; readonly added: readonly JsonObject[] };
  /** Are the nodes the same and written in another order? The order decides which of several nodes begins first. */
  readonly reordered: boolean;
}

export interface NodeDiff {
  readonly id: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Its kind: the new one, or that of a removed node. */
  readonly kind: string;
  /** Only of a changed node; paths are JSON pointers into the node. */
  readonly changes: readonly Change[];
}

/** Compares two documents, as they were registered or compiled. */
export function workflowDiff(before: JsonObject, after: JsonObject): WorkflowDiff {
  const [old, now] = [nodesOf(before), nodesOf(after)];
  const removed = [...old].flatMap(([id, node]): NodeDiff[] =>
    now.has(id) ? [] : [{ id, change: 'removed', kind: kindOf(node), changes: [] }],
  );
  const others = [...now].flatMap(([id, node]): NodeDiff[] => {
    const previous = old.get(id);
    if (previous === undefined) return [{ id, change: 'added', kind: kindOf(node), changes: [] }];
    const changes = stateDiff(previous, node);
    return changes.length === 0 ? [] : [{ id, change: 'changed', kind: kindOf(node), changes }];
  });
  const [oldEdges, newEdges] = [edgesOf(before), edgesOf(after)];
  const sameNodes = removed.length === 0 && others.every(({ change }) => change === 'changed');
  return {
    settings: stateDiff(settingsOf(before), settingsOf(after)),
    nodes: [...removed, ...others],
    edges: { removed: without(oldEdges, newEdges), added: without(newEdges, oldEdges) },
    reordered: sameNodes && [...old.keys()].join('\n') !== [...now.keys()].join('\n'),
  };
}

/** Whether there is nothing to tell. */
export function isSameWorkflow({ settings, nodes, edges, reordered }: WorkflowDiff): boolean {
  return settings.length + nodes.length + edges.removed.length + edges.added.length === 0 && !reordered;
}

function settingsOf({ nodes: _nodes, edges: _edges, ...settings }: JsonObject): JsonObject {
  return settings;
}

function nodesOf({ nodes }: JsonObject): ReadonlyMap<string, Json> {
  if (Array.isArray(nodes))
    return new Map((nodes as readonly Json[]).filter(isObject).map(({ id, ...node }): [string, Json] => [String(id), node]));
  return new Map(isObject(nodes) ? Object.entries(nodes) : []);
}

function kindOf(node: Json): string {
  const kind = isObject(node) ? (node.kind ?? node.type) : null;
  return isObject(kind) ? String(kind.type) : String(kind ?? 'unknown');
}

function edgesOf({ edges }: JsonObject): readonly JsonObject[] {
  return Array.isArray(edges) ? (edges as readonly Json[]).filter(isObject) : [];
}

/** The edges of one list that the other has not; an edge that is written twice counts twice. */
function without(edges: readonly JsonObject[], others: readonly JsonObject[]): readonly JsonObject[] {
  const left = new Map<string, number>();
  for (const edge of others) left.set(keyOf(edge), (left.get(keyOf(edge)) ?? 0) + 1);
  return edges.filter((edge) => {
    const count = left.get(keyOf(edge)) ?? 0;
    left.set(keyOf(edge), count - 1);
    return count <= 0;
  });
}

function keyOf(edge: JsonObject): string {
  return JSON.stringify(Object.entries(edge).sort(([a], [b]) => (a < b ? -1 : 1)));
}
