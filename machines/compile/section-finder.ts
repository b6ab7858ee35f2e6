import { at } from '../graph/at.ts';
import type { Bits } from '../graph/bits.ts';
import { END, type GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import { entered } from './closed.ts';
import type { Effort } from './effort.ts';
import { stateId } from './names.ts';
import type { Section } from './shapes.ts';
import { cutsFrom, NONE } from './sweep.ts';
import { chainTracks } from './tracks.ts';

/** Where a section would begin and end. */
export interface Extent {
  readonly owner: number;
  readonly body: Bits;
  readonly join: number;
}

export class SectionFinder {
  readonly #graph: Graph;
  readonly #effort: Effort;

  constructor(graph: Graph, effort: Effort) {
    this.#graph = graph;
    this.#effort = effort;
  }

  /** The smallest section that `owner` enters and that holds `musts`; null = none. */
  after(owner: number, musts: ReadonlySet<number>, exit: number): Extent | null {
    const graph = this.#graph;
    const forward = graph.forwardOut(owner).flatMap((edge) => (edge.to === END ? [] : [edge.to]));
    const targets = [...new Set(forward)];
    if (targets.every((target) => target === exit)) return null;
    let overrun = false;
    for (const { join, body, nodes } of cutsFrom(graph, targets, exit)) {
      this.#effort.spend(nodes.length);
      if (overrun && join !== NONE) continue;
      if (![...musts].every((node) => body.has(node))) continue;
      const entry = entered(graph, body, owner, null);
      if (entry === 'never') return null;
      if (entry === 'not yet') continue;
      if (join !== NONE && graph.isFirstJoin(join) && !body.within(graph.region(join))) continue;
      overrun ||= join !== NONE && this.#isOverrun(body);
      if (!overrun || join === NONE) return { owner, body, join };
    }
    return null;
  }

  /** All nodes of a region as one section; null = its join could run while others still do. */
  whole(body: Bits, join: number): Extent | null {
    const closes = join === NONE || !this.#graph.isFirstJoin(join) || body.within(this.#graph.region(join));
    return closes && (join === NONE || !this.#isOverrun(body)) ? { owner: NONE, body, join } : null;
  }

  /**
   * Can a first-wins join inside go ahead of nodes that it does not cancel? Then what follows from it can be decided while those
   * still run, and the section's join with it. A larger body does not cure that.
   */
  #isOverrun(body: Bits): boolean {
    const graph = this.#graph;
    for (const first of body) {
      if (!graph.isFirstJoin(first)) continue;
      const region = graph.region(first);
      for (const node of body) if (graph.below(node).has(first) && !region.has(node)) return true;
      this.#effort.spend(at(graph.rank, first));
    }
    return false;
  }

  /** Throws `InvalidWorkflow` when it has too many tracks. */
  make({ owner, body, join }: Extent, given?: { readonly key: string; readonly entries: readonly GraphEdge[] }): Section {
    const graph = this.#graph;
    const nodes = [...body];
    const entries = given?.entries ?? graph.allOut(owner).filter((edge) => edge.to !== END);
    const inside = nodes.flatMap((node) => graph.allOut(node).filter((edge) => edge.to !== END));
    const key = given?.key ?? stateId(graph.idOf(owner));
    return { key, owner, join, nodes, ...chainTracks(graph, body), edges: [...entries, ...inside], entries };
  }
}
