import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import { FIRST_LAYOUT, LAYOUT, type Section } from './shapes.ts';
import { tooLarge } from './too-large.ts';

/** A section's step costs time in proportion to its tracks, a chain of skips in proportion to tracks × nodes. */
const MAX_TRACKS = 256;
const MAX_TRACKS_TIMES_NODES = 300_000;

/**
 * Chains that cover a section: each node is decided only after the one before it on its track is over, and is over only after that one is. So
 * a way must lead from one to the next that no first-wins join can cut short, and no such join may close the next one alone. Ascending forward
 * order within a chain keeps every loop's nodes together.
 */
export function chainTracks(graph: Graph, body: Bits): Pick<Section, 'tracks' | 'layout'> {
  const nodes = byLevel(graph, body);
  const closers = closersOf(graph, body);
  const tracks = chainsOf(graph, body, nodes, closers);
  const isAsFirst = closers.size === 0 || isSame(tracks, chainsOf(graph, body, nodes, new Map()));
  return { tracks, layout: isAsFirst ? FIRST_LAYOUT : LAYOUT };
}

function isSame(some: readonly (readonly number[])[], others: readonly (readonly number[])[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}

function chainsOf(graph: Graph, body: Bits, nodes: readonly number[], closers: Closers): number[][] {
  const below = new Map<number, Bits>();
  for (const node of [...nodes].reverse()) {
    const bits = new Bits(graph.nodes.length);
    for (const edge of graph.forwardOut(node)) {
      if (edge.to === END || !body.has(edge.to) || graph.isFirstJoin(edge.to)) continue;
      bits.add(edge.to);
      if (isClosedOnlyWith(node, edge.to, closers)) bits.addAll(below.get(edge.to) ?? bits);
    }
    below.set(node, bits);
  }
  const tracks: number[][] = [];
  const trackEndingAt = new Map<number, number[]>();
  for (const node of nodes) {
    const track = graph.isFirstJoin(node) ? undefined : trackFor(graph, node, tracks, trackEndingAt, below, closers);
    if (track === undefined) {
      const started = [node];
      tracks.push(started);
      trackEndingAt.set(node, started);
      if (tracks.length > MAX_TRACKS) throw entangled(graph, node);
    } else {
      trackEndingAt.delete(at(track, track.length - 1));
      track.push(node);
      trackEndingAt.set(node, track);
    }
  }
  if (tracks.length * nodes.length > MAX_TRACKS_TIMES_NODES) throw entangled(graph, at(nodes, 0));
  return tracks;
}

/** The first-wins joins that close a node when they run. */
type Closers = ReadonlyMap<number, ReadonlySet<number>>;

function closersOf(graph: Graph, body: Bits): Closers {
  const closers = new Map<number, Set<number>>();
  for (const join of body) {
    if (!graph.isFirstJoin(join)) continue;
    for (const node of graph.region(join)) {
      const known = closers.get(node);
      if (known === undefined) closers.set(node, new Set([join]));
      else known.add(join);
    }
  }
  return closers;
}

/** Is `node` closed by every first-wins join that closes `next`? Else `next` may be over, and what follows it decided, while `node` still runs. */
function isClosedOnlyWith(node: number, next: number, closers: Closers): boolean {
  const own = closers.get(node);
  for (const join of closers.get(next) ?? []) if (own?.has(join) !== true) return false;
  return true;
}

/** Nodes of a body, those with the shortest longest way to them first: taken in that order, few tracks are needed. */
function byLevel(graph: Graph, body: Bits): number[] {
  const level = new Map<number, number>();
  for (const node of graph.order) {
    if (!body.has(node)) continue;
    level.set(node, 1 + Math.max(-1, ...graph.forwardIn(node).map((edge) => level.get(edge.from) ?? -1)));
  }
  return [...level.keys()].sort((a, b) => (level.get(a) ?? 0) - (level.get(b) ?? 0) || a - b);
}

/** The track to continue: of a direct predecessor if there is one. */
function trackFor(
  graph: Graph,
  node: number,
  tracks: readonly number[][],
  endingAt: ReadonlyMap<number, number[]>,
  below: ReadonlyMap<number, Bits>,
  closers: Closers,
): number[] | undefined {
  for (const edge of graph.forwardIn(node)) {
    const track = endingAt.get(edge.from);
    if (track !== undefined && isClosedOnlyWith(edge.from, node, closers)) return track;
  }
  return tracks.find((track) => {
    const last = at(track, track.length - 1);
    return below.get(last)?.has(node) === true && isClosedOnlyWith(last, node, closers);
  });
}

function entangled(graph: Graph, node: number): Error {
  return tooLarge(
    graph,
    node,
    `is among too many nodes that run side by side with edges between them (at most ${MAX_TRACKS} ways)`,
  );
}
