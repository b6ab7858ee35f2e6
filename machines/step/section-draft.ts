import type { Mark } from '../compile/parameters.ts';
import type { SectionTable } from '../compile/statics.ts';
import { NONE } from '../compile/sweep.ts';
import { at } from '../graph/at.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Json } from '../json.ts';
import { own, type SectionState } from './context.ts';
import type { Draft } from './draft.ts';

/**
 * Decides inside a section. Each edge is undecided, live or dead; a node is decided when none of its forward in-edges is
 * undecided: it runs if one is live, else it is skipped. Skips and control nodes come first, lowest node first, one at a time;
 * then work, one at a time too, so that the order never depends on how a graph was cut into tracks.
 */
export class SectionDraft {
  readonly #draft: Draft;
  readonly #key: string;
  readonly #table: SectionTable;

  constructor(draft: Draft, key: string, table: SectionTable) {
    this.#draft = draft;
    this.#key = key;
    this.#table = table;
  }

  enter(owner: string | null, mark: Mark, output: Json): void {
    const { section, slots } = this.#table;
    this.#draft.starveJoin(this.#key);
    this.#write({
      marks: '.'.repeat(section.edges.length),
      nodes: '.'.repeat(slots.size),
      running: 0,
      ready: [],
      rewinding: [],
      loop: null,
    });
    if (section.owner === NONE && section.entries.length === 0) {
      for (const id of mark.live) this.#letEnter(this.#draft.indexOf(id));
    } else {
      const from = section.owner === NONE ? null : owner;
      this.#decide(section.entries, mark, from, output);
    }
    this.#proceed();
  }

  /** A node is over, and its ways are chosen. */
  finished(node: string, mark: Mark, output: Json): void {
    const index = this.#draft.indexOf(node);
    this.#over(index);
    this.#decide(this.#table.outOf.get(index) ?? [], mark, node, output);
    this.#proceed();
  }

  /** A failure nobody handles: nothing that depends on the node is ever decided. */
  failed(node: string): void {
    this.#over(this.#draft.indexOf(node));
    this.#proceed();
  }

  /** A released node begins: the next one may. */
  entered(node: string): void {
    const index = this.#draft.indexOf(node);
    this.#setLetter(index, this.#draft.statics.graph.isControl(index) ? 'k' : 'g');
    this.#proceed();
  }

  again(node: string, head: string, output: Json): void {
    const { graph } = this.#draft.statics;
    const headIndex = this.#draft.indexOf(head);
    const loop = graph.loops.find((candidate) => candidate.head === headIndex);
    if (loop === undefined) throw new TypeError(`no loop at ${head}`);
    this.#over(this.#draft.indexOf(node));
    const state = this.#read();
    const marks = [...state.marks];
    const nodes = [...state.nodes];
    for (const [index, slot] of this.#table.slots) if (loop.body.has(index)) nodes[slot] = '.';
    for (const [edge, slot] of this.#table.marks) {
      if (!loop.body.has(edge.from)) continue;
      marks[slot] = '.';
      this.#unfeed(edge);
    }
    const rewinding = this.#table.section.tracks.flatMap((track, i) =>
      track.some((member) => loop.body.has(member)) ? [i] : [],
    );
    const others = rewinding.filter((track) => !at(this.#table.section.tracks, track).includes(this.#draft.indexOf(node)));
    this.#write({
      ...state,
      marks: marks.join(''),
      nodes: nodes.join(''),
      ready: state.ready.filter((index) => !loop.body.has(index)),
      rewinding: others,
      loop: others.length === 0 ? null : head,
    });
    if (graph.node(headIndex).kind.type !== 'join') this.#draft.feed(head, node, output, false);
    this.#letEnter(headIndex);
    this.#proceed();
  }

  rewound(track: number): void {
    const state = this.#read();
    const rewinding = state.rewinding.filter((other) => other !== track);
    this.#write({ ...state, rewinding, loop: rewinding.length === 0 ? null : state.loop });
  }

  /** Nodes a first-wins join has closed: they are over, and all their out-edges are dead. */
  close(closed: readonly number[]): void {
    const inside = closed.filter((index) => this.#table.slots.has(index));
    if (inside.length === 0) return;
    for (const index of inside) {
      const letter = this.#letter(index);
      const out = this.#table.outOf.get(index) ?? [];
      // What is over has decided edges, unless it failed.
      if (letter === 'c' || (letter === 'x' && out.every((edge) => this.#mark(edge) !== '.'))) continue;
      if (letter === 'g') this.#write({ ...this.#read(), running: this.#read().running - 1 });
      if (letter !== 'x') this.#setLetter(index, 'c');
      this.#markDead(out);
    }
    const state = this.#read();
    this.#write({ ...state, ready: state.ready.filter((index) => !inside.includes(index)) });
    for (const index of inside) this.#watch(index);
  }

  // ------------------------------------------------------------------ deciding

  /** Marks edges: those to live targets live; extra in-edges of joins live when the node completed; all else dead. */
  #decide(edges: readonly GraphEdge[], mark: Mark, source: string | null, output: Json): void {
    const { graph } = this.#draft.statics;
    const marks = [...this.#read().marks];
    const fed = new Set<number>();
    for (const edge of edges) {
      const chosen = !graph.back.has(edge) && mark.live.includes(graph.idOf(edge.to));
      const isLive = edge.role === 'wait' ? mark.failed !== true : chosen;
      marks[this.#slot(edge)] = isLive ? 'l' : 'd';
      if (isLive && this.#letter(edge.to) === '.') fed.add(edge.to);
    }
    this.#write({ ...this.#read(), marks: marks.join('') });
    if (source !== null) for (const target of fed) this.#draft.feed(graph.idOf(target), source, output, true);
    for (const index of new Set(edges.map((edge) => edge.from))) this.#watch(index);
  }

  /** Looks again at the nodes whose fate hangs on a node's out-edges. */
  #watch(index: number): void {
    for (const watcher of this.#table.watchers.get(index) ?? []) {
      if (this.#letter(watcher) !== '.' || this.#read().ready.includes(watcher)) continue;
      if (this.#verdict(watcher) !== 'undecided') this.#write({ ...this.#read(), ready: [...this.#read().ready, watcher] });
    }
  }

  #verdict(index: number): 'run' | 'skip' | 'undecided' {
    if (this.#letter(index) === 'e') return 'run';
    const worths = (this.#table.into.get(index) ?? []).map((edge) => this.#worth(edge));
    if (this.#draft.statics.graph.isFirstJoin(index) && worths.includes('l')) return 'run';
    if (worths.length === 0 || worths.includes('.')) return 'undecided';
    return worths.includes('l') ? 'run' : 'skip';
  }

  /** An edge that leaves a loop is dead, and an extra in-edge of a join outside live, only once the loop cannot go round again. */
  #worth(edge: GraphEdge): string {
    const letter = this.#mark(edge);
    if (letter === '.' || (letter === 'l' && edge.role !== 'wait')) return letter;
    for (const loop of this.#table.leaves.get(edge) ?? []) {
      if (loop.backs.some((back) => this.#table.marks.has(back) && this.#worth(back) === '.')) return '.';
    }
    return letter;
  }

  /** Skips what is to be skipped, then releases the next node, unless one that was released has yet to begin. */
  #proceed(): void {
    const { graph } = this.#draft.statics;
    const { join } = this.#table.section;
    while (this.#draft.now.halt === null && !/[rk]/.test(this.#read().nodes)) {
      const ready = [...this.#read().ready].sort((a, b) => a - b);
      const first = ready.find((index) => graph.isControl(index) || this.#verdict(index) === 'skip') ?? ready[0];
      if (first === undefined) return;
      const skips = this.#verdict(first) === 'skip';
      const state = this.#read();
      this.#write({
        ...state,
        ready: ready.filter((index) => index !== first),
        running: state.running + (skips || first === join ? 0 : 1),
      });
      this.#setLetter(first, skips ? 'x' : 'r');
      if (!skips) return;
      if (first === join) continue;
      this.#draft.skip(first);
      this.#markDead(this.#table.outOf.get(first) ?? []);
      this.#watch(first);
    }
  }

  /** The head of a loop that goes round again, or the first node of all, runs whatever leads to it. */
  #letEnter(index: number): void {
    this.#setLetter(index, 'e');
    const state = this.#read();
    this.#write({ ...state, ready: [...state.ready, index] });
  }

  #over(index: number): void {
    const state = this.#read();
    if (/[gk]/.test(this.#letter(index))) this.#write({ ...state, running: state.running - 1 });
    this.#setLetter(index, 'x');
  }

  #markDead(edges: readonly GraphEdge[]): void {
    const marks = [...this.#read().marks];
    for (const edge of edges) marks[this.#slot(edge)] = 'd';
    this.#write({ ...this.#read(), marks: marks.join('') });
  }

  #unfeed(edge: GraphEdge): void {
    const { graph } = this.#draft.statics;
    const target = graph.idOf(edge.to);
    const fed = own(this.#draft.now.fed, target);
    if (fed === undefined) return;
    const left = fed.filter(([source]) => source !== graph.idOf(edge.from));
    if (left.length === 0) this.#draft.starve(target);
    else if (left.length < fed.length) this.#draft.set({ fed: { ...this.#draft.now.fed, [target]: left } });
  }

  /** Before the section is forgotten: what reaches its join came by live edges only. */
  settleJoin(): void {
    const { join } = this.#table.section;
    if (join === NONE) return;
    const live = this.liveSources(join);
    for (const edge of this.#table.into.get(join) ?? []) {
      if (!live.has(this.#draft.statics.graph.idOf(edge.from))) this.#unfeed(edge);
    }
  }

  /** Ids of the nodes whose edge into `join` is live. */
  liveSources(join: number): Set<string> {
    const { graph } = this.#draft.statics;
    const live = (this.#table.into.get(join) ?? []).filter((edge) => this.#worth(edge) === 'l');
    return new Set(live.map((edge) => graph.idOf(edge.from)));
  }

  has(index: number): boolean {
    return this.#table.slots.has(index);
  }

  #slot(edge: GraphEdge): number {
    const slot = this.#table.marks.get(edge);
    if (slot === undefined) throw new TypeError(`edge ${edge.index} is not marked in section ${this.#key}`);
    return slot;
  }

  #mark(edge: GraphEdge): string {
    return this.#read().marks[this.#slot(edge)] ?? '.';
  }

  #letter(index: number): string {
    return letterOf(this.#table, this.#read(), index);
  }

  #setLetter(index: number, letter: string): void {
    const state = this.#read();
    const slot = this.#table.slots.get(index) ?? state.nodes.length;
    this.#write({ ...state, nodes: `${state.nodes.slice(0, slot)}${letter}${state.nodes.slice(slot + 1)}` });
  }

  #read(): SectionState {
    const state = own(this.#draft.now.sections, this.#key);
    if (state === undefined) throw new TypeError(`section ${this.#key} is not entered`);
    return state;
  }

  #write(state: SectionState): void {
    this.#draft.set({ sections: { ...this.#draft.now.sections, [this.#key]: state } });
  }
}

export function letterOf(table: SectionTable, state: SectionState, index: number): string {
  return state.nodes[table.slots.get(index) ?? -1] ?? '.';
}
