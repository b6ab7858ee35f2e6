import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END, type GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import { entered, keepsItsLoops } from './closed.ts';
import { Effort, EffortSpent } from './effort.ts';
import { maySplit } from './instants.ts';
import { stateId } from './names.ts';
import type { OutputUse } from './outputs.ts';
import type { Alternative, Routes } from './routes.ts';
import { SectionFinder } from './section-finder.ts';
import type { Branch, Fork, Plan, Section } from './shapes.ts';
import { type Cut, cutsFrom, NONE } from './sweep.ts';
import { tooLarge } from './too-large.ts';

/** Nodes at which a section must start, each with the nodes it must hold. */
type Widened = Map<number, Set<number>>;

/** Forks inside forks; beyond, a fan-out becomes a section, which is flat. */
const MAX_FORK_DEPTH = 12;
/** Branches of one fork. Each step of a branch costs time in proportion to them, entering the fork in proportion to their square. */
const MAX_BRANCHES = 1_000;

/** Decides which fan-outs become forks and which sections. */
export class Planner {
  readonly #graph: Graph;
  readonly #routes: readonly Routes[];
  readonly #use: OutputUse;
  /** Without forks every fan-out becomes a section; both ways mean the same. */
  readonly #forks: boolean;

  readonly #effort = new Effort();
  readonly #sections: SectionFinder;

  constructor(graph: Graph, routes: readonly Routes[], use: OutputUse, options: { readonly forks: boolean }) {
    this.#graph = graph;
    this.#routes = routes;
    this.#use = use;
    this.#forks = options.forks;
    this.#sections = new SectionFinder(graph, this.#effort);
  }

  /** Throws `InvalidWorkflow` when the graph is too entangled. */
  root(): Plan {
    const all = new Bits(this.#graph.nodes.length);
    for (const node of this.#graph.reachable) all.add(node);
    try {
      const plan = this.#region(all, NONE, [], 'start', 0);
      if (plan !== null) return plan;
    } catch (error) {
      if (!(error instanceof EffortSpent)) throw error;
    }
    return wholly(this.#sections.make({ owner: NONE, body: all, join: NONE }, { key: 'start', entries: [] }));
  }

  /** `entries` are the edges by which tokens enter the region; null = it cannot be a region of its own. */
  #region(nodes: Bits, exit: number, entries: readonly GraphEdge[], key: string, depth: number): Plan | null {
    const plan = this.#threads(nodes, exit, depth);
    if (plan !== null) return plan;
    return this.#whole(nodes, exit, entries, key);
  }

  #whole(nodes: Bits, exit: number, entries: readonly GraphEdge[], key: string): Plan | null {
    const extent = this.#sections.whole(nodes, exit);
    return extent === null ? null : wholly(this.#sections.make(extent, { key, entries }));
  }

  /** Plans nodes among which one token travels; null = that cannot be. */
  #threads(nodes: Bits, exit: number, depth: number): Plan | null {
    const widened: Widened = new Map();
    for (;;) {
      const attempt = this.#attempt(nodes, exit, widened, depth);
      if (attempt !== 'again') return attempt;
    }
  }

  /** A plan; `again`: a section must start earlier, which `widened` now says; null = only the whole region could be one. */
  #attempt(nodes: Bits, exit: number, widened: Widened, depth: number): Plan | 'again' | null {
    const forks = new Map<Alternative, Fork>();
    const sections = new Map<number, Section>();
    const covered = new Bits(this.#graph.nodes.length);
    for (const node of this.#graph.inOrder(nodes)) {
      if (covered.has(node)) continue;
      const wide = this.#fanOuts(node);
      const waitedFor = this.#graph.allOut(node).some((edge) => edge.role === 'wait');
      const musts = widened.get(node);
      if (wide.length === 0 && !waitedFor && musts === undefined) continue;
      if (this.#forks && !waitedFor && musts === undefined) {
        const split = this.#splitAll(node, wide, exit, depth);
        if (split !== null) {
          for (const [alternative, fork] of split) {
            forks.set(alternative, fork);
            for (const branch of fork.branches) covered.addAll(branch.nodes);
          }
          continue;
        }
      }
      const extent = this.#sections.after(node, musts ?? new Set(), exit);
      if (extent === null) return this.#widen(node, nodes, exit, widened) ? 'again' : null;
      sections.set(node, this.#sections.make(extent));
      covered.addAll(extent.body);
    }
    return { forks, sections, whole: null };
  }

  /** Lets the section that must hold `node` start at an earlier node. */
  #widen(node: number, region: Bits, exit: number, widened: Widened): boolean {
    const { idom } = this.#graph.dominators;
    for (let from = at(idom, node); from !== -1 && region.has(from); from = at(idom, from)) {
      const musts = new Set([...(widened.get(from) ?? []), ...(widened.get(node) ?? []), node]);
      const known = widened.get(from);
      if (known !== undefined && [...musts].every((must) => known.has(must))) continue;
      if (this.#sections.after(from, musts, exit) === null) continue;
      widened.set(from, musts);
      return true;
    }
    return false;
  }

  #fanOuts(node: number): Alternative[] {
    const all = Object.values(at(this.#routes, node)).flatMap((alternatives) => alternatives ?? []);
    return [...new Set(all)].filter((alternative) => alternative.targets.length > 1);
  }

  #splitAll(owner: number, wide: readonly Alternative[], exit: number, depth: number): Map<Alternative, Fork> | null {
    const forks = new Map<Alternative, Fork>();
    for (const [i, alternative] of wide.entries()) {
      const key = `${stateId(this.#graph.idOf(owner))}${wide.length > 1 ? `:${i + 1}` : ''}`;
      const fork = this.#split(owner, alternative.live, exit, key, depth);
      if (fork === null) return null;
      forks.set(alternative, fork);
    }
    return forks;
  }

  /** The fork that `live` edges of `owner` open, if their ways keep apart. */
  #split(owner: number, live: readonly GraphEdge[], exit: number, key: string, depth: number): Fork | null {
    if (depth >= MAX_FORK_DEPTH) return null;
    const targets = [...new Set(live.flatMap((edge) => (edge.to === END ? [] : [edge.to])))];
    for (const cut of cutsFrom(this.#graph, targets, exit)) {
      const direct = targets.includes(cut.join);
      if (cut.parts + (direct ? 1 : 0) < 2) return null;
      this.#effort.spend(cut.nodes.length);
      if (entered(this.#graph, cut.body, owner, live) !== 'well' || !keepsItsLoops(this.#graph, cut.body)) continue;
      if (!maySplit(this.#graph, this.#use, cut, targets, direct)) continue;
      const branches = this.#branches(owner, live, cut, key, depth);
      if (branches !== null) return { key, owner, join: cut.join, direct, branches };
    }
    return null;
  }

  #branches(owner: number, live: readonly GraphEdge[], cut: Cut, key: string, depth: number): Branch[] | null {
    const parts = new Map<number, Bits>();
    for (const node of cut.nodes) {
      const part = parts.get(cut.partOf(node)) ?? new Bits(this.#graph.nodes.length);
      part.add(node);
      parts.set(cut.partOf(node), part);
    }
    if (parts.size > MAX_BRANCHES)
      throw tooLarge(this.#graph, owner, `starts ${parts.size} branches, at most ${MAX_BRANCHES} can be`);
    const branches: Branch[] = [];
    for (const nodes of parts.values()) {
      const entries = live.filter((edge) => edge.to !== END && nodes.has(edge.to));
      const branch = this.#branch(owner, nodes, cut.join, entries, key, depth);
      if (branch === null) return null;
      branches.push(branch);
    }
    return branches;
  }

  #branch(
    owner: number,
    nodes: Bits,
    join: number,
    entries: readonly GraphEdge[],
    forkKey: string,
    depth: number,
  ): Branch | null {
    const [first, ...others] = [...new Set(entries.map((edge) => edge.to))];
    if (first === undefined) throw new TypeError('every part of a fork is entered');
    const key = `${forkKey}:${stateId(this.#graph.idOf(first))}`;
    if (others.length === 0) {
      const plan = this.#region(nodes, join, entries, key, depth + 1);
      return plan === null ? null : { key, nodes, entry: plan.whole === null ? first : null, plan };
    }
    const fork = this.#split(owner, entries, join, key, depth + 1);
    if (fork !== null) {
      const rest = nodes.copy();
      for (const inner of fork.branches) rest.removeAll(inner.nodes);
      const plan = this.#threads(rest, join, depth + 1);
      if (plan !== null) return { key, nodes, entry: fork, plan };
    }
    const plan = this.#whole(nodes, join, entries, key);
    return plan === null ? null : { key, nodes, entry: null, plan };
  }
}

function wholly(whole: Section): Plan {
  return { forks: new Map(), sections: new Map(), whole };
}
