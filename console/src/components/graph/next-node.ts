import type { Node } from '@xyflow/react';
import type { GraphNode } from '../../../../src/views/graph.ts';
import type { Box } from './graph-layout.ts';

const DIRECTIONS: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
};

export interface PlacedNode extends Box {
  readonly id: string;
}

/** The node that an arrow key leads to from another: the nearest in its direction. Null = none, or another key. */
export function nextNode(key: string, from: string | null, nodes: readonly Node[]): PlacedNode | null {
  const direction = DIRECTIONS[key];
  const places = placesOf(nodes);
  const start = places.find(({ id }) => id === from);
  if (direction === undefined || start === undefined) return null;
  let best: PlacedNode | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const place of places) {
    const dx = place.x + place.width / 2 - (start.x + start.width / 2);
    const dy = place.y + place.height / 2 - (start.y + start.height / 2);
    const along = dx * direction.x + dy * direction.y;
    const across = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    // What lies aside counts as further away.
    const distance = along + 2 * across;
    if (along <= 1 || across > 4 * along || distance >= bestDistance) continue;
    best = place;
    bestDistance = distance;
  }
  return best;
}

/** Nodes of the workflow with their places in the whole graph. */
export function placesOf(nodes: readonly Node[]): readonly PlacedNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return nodes.flatMap((node) => {
    if ((node.data.node as GraphNode | undefined)?.node == null) return [];
    let { x, y } = node.position;
    for (let parent = byId.get(node.parentId ?? ''); parent !== undefined; parent = byId.get(parent.parentId ?? '')) {
      x += parent.position.x;
      y += parent.position.y;
    }
    return [{ id: node.id, x, y, width: node.width ?? 0, height: node.height ?? 0 }];
  });
}
