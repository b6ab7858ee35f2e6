import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END, type GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import { stateId } from './names.ts';
import type { OutputUse } from './outputs.ts';
import type { Alternative, Routes } from './routes.ts';
import { type Cut, cutsFrom, NONE } from './sweep.ts';
import { tooLarge } from './too-large.ts';
import { chainTracks } from './tracks.ts';

/**
 * How a graph becomes states. While one token travels, nodes are plain states. Where an alternative has several targets whose
 * ways do not touch until they meet, it is a *fork*: a parallel state, one region per way. Any other fan-out is a *section*: a
 * parallel state whose regions are tracks (chains of nodes) with a gate before each node.
 */
export interface Plan {
  readonly forks: ReadonlyMap<Alternative, Fork>;
  /** By the node whose completion enters the section. */
  readonly sections: ReadonlyMap<number, Section>;
  /** The region is one section; nothing else is in the plan then. */
  readonly whole: Section | null;
}

export interface Fork {
  /** Fit for state ids; unique among forks and sections. */
  readonly key: string;
  readonly owner: number;
  /** Where the branches meet; `NONE` = they end. */
  readonly join: number;
  /** Does an edge lead straight to the join? */
  readonly direct: boolean;
  readonly branches: readonly Branch[];
}

export interface Branch {
  readonly key: string;
  readonly nodes: Bits;
  /** The node it starts with, or a fork inside it; null = its plan is one section. */
  readonly entry: number | Fork | null;
  /** Of the nodes outside that fork. */
  readonly plan: Plan;
}

export interface Section {
  readonly key: string;
  /** The node whose completion enters it; `NONE` for one that starts with the execution or a branch. */
  readonly owner: number;
  readonly join: number;
  /** Ascending. */
  readonly nodes: readonly number[];
  readonly tracks: readonly (readonly number[])[];
  /** Edges whose fate decides inside: those of the section's nodes, and `entries`. */
  readonly edges: readonly GraphEdge[];
  /** The edges that lead into it. */
  readonly entries: readonly GraphEdge[];
}

/** Nodes at which a section must start, each with the nodes it must hold. */
type Widened = Map<number, Set<number>>;

/** Forks inside forks; beyond, a fan-out becomes a section, which is flat. */
const MAX_FORK_DEPTH = 12;
/** Branches of one fork. Each step of a branch costs time in proportion to them, entering the fork in proportion to their square. */
const MAX_BRANCHES = 1_000;
/** Branches of a fork that may start with nodes that finish at once: those move in the same breath. */
const MAX_INSTANT_BRANCHES = 16;

export class Planner {
  readonly #graph: Graph;
  readonly #routes: readonly Routes[];
  readonly #use: OutputUse;
  /** Without forks every fan-out becomes a section; both ways mean the same. */
  readonly #forks: boolean;

  constructor(graph: Graph, routes: readonly Routes[], use: OutputUse, options: { readonly forks: boolean }) {
    this.#graph = graph;
    this.#routes = routes;
    this.#use = use;
    this.#forks = options.forks;
  }

  root(): Plan {
    const all = new Bits(this.#graph.nodes.length);
    for (const node of this.#graph.reachable) all.add(node);
    const plan = this.#region(all, NONE, [], 'start', 0);
    if (plan === null) throw new Error('the whole of a graph can always be one section');
    return plan;
  }

  /** `entries` are the edges by which tokens enter the region; null = it cannot be a region of its own. */
  #region(nodes: Bits, exit: number, entries: readonly GraphEdge[], key: string, depth: number): Plan | null {
    const plan = this.#threads(nodes, exit, depth);
    if (plan !== null) return plan;
    const whole = this.#whole(nodes, exit, entries, key);
    return whole === null ? null : { forks: new Map(), sections: new Map(), whole };
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
    for (const node of this.#graph.order) {
      if (!nodes.has(node) || covered.has(node)) continue;
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
      const section = this.#section(node, musts ?? new Set(), exit);
      if (section === null) return this.#widen(node, nodes, exit, widened) ? 'again' : null;
      sections.set(node, section);
      for (const inside of section.nodes) covered.add(inside);
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
      if (this.#section(from, musts, exit) === null) continue;
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
      if (!this.#isClosed(cut.body, owner, live) || !this.#maySplit(cut, targets, direct)) continue;
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
    const whole = this.#whole(nodes, join, entries, key);
    return whole === null ? null : { key, nodes, entry: null, plan: { forks: new Map(), sections: new Map(), whole } };
  }

  /** Is the body entered only by the given edges of `owner`, and left only forward? */
  #isClosed(body: Bits, owner: number, entries: readonly GraphEdge[] | null): boolean {
    for (const node of body) {
      for (const edge of this.#graph.forwardIn(node)) {
        if (body.has(edge.from)) continue;
        if (edge.from !== owner || (entries !== null && !entries.includes(edge))) return false;
      }
      for (const edge of this.#graph.backIn(node)) if (!body.has(edge.from)) return false;
      if (entries === null) continue;
      for (const edge of this.#graph.out(node)) if (this.#graph.back.has(edge) && !body.has(edge.to)) return false;
    }
    return true;
  }

  /** Does it make no difference that the branches of a fork move side by side? */
  #maySplit(cut: Cut, targets: readonly number[], direct: boolean): boolean {
    const graph = this.#graph;
    const { join } = cut;
    const instant = new Map<number, Bits>();
    for (const target of targets) {
      if (target === join || !graph.isControl(target)) continue;
      const part = cut.partOf(target);
      instant.set(part, this.#instantly(target, cut.body, instant.get(part)));
    }
    const arrivals =
      [...instant.values()].filter((nodes) => [...nodes].some((node) => graph.out(node).some((edge) => edge.to === join)))
        .length + (direct ? 1 : 0);
    if (join !== NONE && graph.isFirstJoin(join)) {
      if (arrivals > 0 || !cut.body.within(graph.region(join))) return false;
    } else if (join !== NONE && arrivals > 1 && graph.node(join).kind.type !== 'join' && at(this.#use.receives, join)) {
      return false;
    }
    if (instant.size > MAX_INSTANT_BRANCHES) return false;
    if (instant.size < 2) return true;
    return ![...instant.values()].some((nodes) => [...nodes].some((node) => this.#orderMatters(node)));
  }

  #orderMatters(control: number): boolean {
    const { kind } = this.#graph.node(control);
    return kind.type === 'limit_exceeded' || (kind.type === 'join' && kind.output_key !== undefined);
  }

  /** Nodes reached from a control node without waiting for anything. */
  #instantly(from: number, body: Bits, found = new Bits(this.#graph.nodes.length)): Bits {
    const todo = [from];
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (found.has(node)) continue;
      found.add(node);
      for (const edge of this.#graph.out(node)) {
        if (edge.to !== END && body.has(edge.to) && this.#graph.isControl(edge.to)) todo.push(edge.to);
      }
    }
    return found;
  }

  /** The smallest section after `owner` that holds `musts`. */
  #section(owner: number, musts: ReadonlySet<number>, exit: number): Section | null {
    const entries = this.#graph.allOut(owner).filter((edge) => edge.to !== END);
    const targets = [...new Set(entries.filter((edge) => !this.#graph.back.has(edge)).map((edge) => edge.to))];
    if (targets.length === 0 || targets.every((target) => target === exit)) return null;
    for (const cut of cutsFrom(this.#graph, targets, exit)) {
      if (![...musts].every((node) => cut.body.has(node))) continue;
      if (!this.#isClosed(cut.body, owner, null) || !this.#endsWithJoin(cut.body, cut.join)) continue;
      return this.#sectionOf(stateId(this.#graph.idOf(owner)), owner, cut.body, cut.join, entries);
    }
    return null;
  }

  #whole(nodes: Bits, exit: number, entries: readonly GraphEdge[], key: string): Section | null {
    return this.#endsWithJoin(nodes, exit) ? this.#sectionOf(key, NONE, nodes, exit, entries) : null;
  }

  /**
   * Is nothing else under way when the join can run? Not so if a first-wins join inside goes ahead of nodes it does not
   * cancel; and what a first-wins join behind the section leaves running must not be cut off with the section.
   */
  #endsWithJoin(body: Bits, join: number): boolean {
    if (join === NONE) return true;
    const graph = this.#graph;
    if (graph.isFirstJoin(join) && !body.within(graph.region(join))) return false;
    for (const first of body) {
      if (!graph.isFirstJoin(first)) continue;
      const region = graph.region(first);
      for (const node of body) if (graph.below(node).has(first) && !region.has(node)) return false;
    }
    return true;
  }

  #sectionOf(key: string, owner: number, body: Bits, join: number, entries: readonly GraphEdge[]): Section {
    const nodes = [...body];
    const inside = nodes.flatMap((node) => this.#graph.allOut(node).filter((edge) => edge.to !== END));
    const edges = [...entries, ...inside];
    return { key, owner, join, nodes, tracks: chainTracks(this.#graph, body), edges, entries };
  }
}
