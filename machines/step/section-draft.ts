import type { Mark } from '../compile/parameters.ts';
import type { Section } from '../compile/shapes.ts';
import { skippedMeanwhile } from '../compile/skips.ts';
import type { SectionTable, Statics } from '../compile/statics.ts';
import { NONE } from '../compile/sweep.ts';
import type { Bits } from '../graph/bits.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Json } from '../json.ts';
import { type Context, rulesOf, type SectionState } from './context.ts';
import { FIRST_RULES } from './rules.ts';

/** The context in the making around a section. Nodes are named by id, but for `skip`. */
interface Surroundings {
  readonly statics: Statics;
  readonly now: Context;
  indexOf(node: string): number;
  /** An output on its way to a node that reads it; `adds` to those of other sources. */
  feed(target: string, source: string, output: Json, adds: boolean): void;
  unfeed(target: string, source: string): void;
  /** What was on its way to the join behind the section will not be read. */
  starveJoin(section: string): void;
  skip(index: number): void;
  /** Nodes outside the section that nothing can come to any more. */
  skipLater(nodes: Iterable<number>): void;
}

/**
 * Decides inside a section. Each edge is undecided, live or dead; a node is decided when none of its forward in-edges is
 * undecided: it runs if one is live, else it is skipped. Skips and control nodes come first, lowest node first, one at a time;
 * then work, one at a time too, so that the order never depends on how a graph was cut into tracks.
 */
export class SectionDraft {
  readonly #draft: Surroundings;
  readonly #key: string;
  readonly #table: SectionTable;
  readonly #marks: string[];
  readonly #nodes: string[];
  #running: number;
  #ready: number[];
  #rewinding: readonly number[];
  #loop: string | null;
  #changed = false;
  /** Nodes from which no loop goes round any more. */
  #spent: ReadonlySet<number>;

  constructor(draft: Surroundings, key: string, table: SectionTable, state: SectionState) {
    this.#draft = draft;
    this.#key = key;
    this.#table = table;
    this.#marks = [...state.marks];
    this.#nodes = [...state.nodes];
    this.#running = state.running;
    this.#ready = [...state.ready];
    this.#rewinding = state.rewinding;
    this.#loop = state.loop;
    this.#spent = this.#spentNodes();
  }

  get plan(): Section {
    return this.#table.section;
  }

  /** The section's bookkeeping if it is not as it was. */
  changed(): SectionState | null {
    if (!this.#changed) return null;
    return {
      marks: this.#marks.join(''),
      nodes: this.#nodes.join(''),
      running: this.#running,
      ready: this.#ready,
      rewinding: this.#rewinding,
      loop: this.#loop,
    };
  }

  enter(owner: string | null, mark: Mark, output: Json): void {
    const { section } = this.#table;
    this.#draft.starveJoin(this.#key);
    if (section.owner === NONE && section.entries.length === 0) {
      for (const id of mark.live) this.#letEnter(this.#draft.indexOf(id));
    } else {
      this.#decide(section.entries, mark, section.owner === NONE ? null : owner, output);
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

  /** A loop inside the section goes round: its nodes and their out-edges are as if they had never run. */
  again(node: string, head: string, output: Json): void {
    const { graph } = this.#draft.statics;
    const { section, slots, marks } = this.#table;
    const headIndex = this.#draft.indexOf(head);
    const loop = graph.loops.find((candidate) => candidate.head === headIndex);
    if (loop === undefined) throw new TypeError(`no loop at ${head}`);
    this.#over(this.#draft.indexOf(node));
    for (const index of slots.keys()) if (loop.body.has(index)) this.#setLetter(index, '.');
    for (const [edge, slot] of marks) {
      if (!loop.body.has(edge.from)) continue;
      this.#marks[slot] = '.';
      this.#draft.unfeed(graph.idOf(edge.to), graph.idOf(edge.from));
    }
    this.#ready = this.#ready.filter((index) => !loop.body.has(index));
    const here = this.#draft.indexOf(node);
    this.#rewinding = section.tracks.flatMap((track, i) =>
      !track.includes(here) && track.some((member) => loop.body.has(member)) ? [i] : [],
    );
    this.#loop = this.#rewinding.length === 0 ? null : head;
    if (graph.node(headIndex).kind.type !== 'join') this.#draft.feed(head, node, output, false);
    this.#letEnter(headIndex);
    this.#proceed();
  }

  rewound(track: number): void {
    this.#rewinding = this.#rewinding.filter((other) => other !== track);
    if (this.#rewinding.length === 0) this.#loop = null;
    this.#changed = true;
  }

  /** Nodes a first-wins join has closed: they are over, and all their out-edges are dead. */
  close(closed: readonly number[]): void {
    const inside = closed.filter((index) => this.#table.slots.has(index));
    for (const index of inside) {
      const letter = this.#letter(index);
      const out = this.#table.outOf.get(index) ?? [];
      // What is over has decided edges, unless it failed.
      if (letter === 'c' || (letter === 'x' && out.every((edge) => this.#mark(edge) !== '.'))) continue;
      if (letter === 'g') this.#running -= 1;
      if (letter !== 'x') this.#setLetter(index, 'c');
      this.#markDead(out);
    }
    this.#ready = this.#ready.filter((index) => !inside.includes(index));
    for (const index of inside) this.#watch(index);
    this.#skipAround();
  }

  // ------------------------------------------------------------------ deciding

  /** Marks edges: those to live targets live; extra in-edges of joins live when the node completed; all else dead. */
  #decide(edges: readonly GraphEdge[], mark: Mark, source: string | null, output: Json): void {
    const { graph } = this.#draft.statics;
    const fed = new Set<number>();
    const taken = new Set<number>();
    for (const edge of edges) {
      // Of several edges to one target a node takes one; which of them makes no difference.
      const chosen = !graph.back.has(edge) && !taken.has(edge.to) && mark.live.includes(graph.idOf(edge.to));
      const isLive = edge.role === 'wait' ? mark.failed !== true : chosen;
      if (isLive) taken.add(edge.to);
      this.#marks[this.#slot(edge)] = isLive ? 'l' : 'd';
      if (isLive && this.#letter(edge.to) === '.') fed.add(edge.to);
    }
    this.#changed = true;
    if (source !== null) for (const target of fed) this.#draft.feed(graph.idOf(target), source, output, true);
    for (const index of new Set(edges.map((edge) => edge.from))) this.#watch(index);
  }

  /** Looks again at the nodes whose fate hangs on a node's out-edges. */
  #watch(index: number): void {
    for (const watcher of this.#table.watchers.get(index) ?? []) {
      if (this.#letter(watcher) !== '.' || this.#ready.includes(watcher)) continue;
      if (this.#verdict(watcher) !== 'undecided') this.#ready.push(watcher);
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

  #proceed(): void {
    this.#release();
    this.#skipAround();
  }

  /** Skips what is to be skipped, then releases the next node, unless one that was released has yet to begin. */
  #release(): void {
    const { graph } = this.#draft.statics;
    const { join } = this.#table.section;
    while (this.#draft.now.halt === null && !this.#nodes.includes('r') && !this.#nodes.includes('k')) {
      this.#ready.sort((a, b) => a - b);
      const first = this.#ready.find((index) => graph.isControl(index) || this.#verdict(index) === 'skip') ?? this.#ready[0];
      if (first === undefined) return;
      const skips = this.#verdict(first) === 'skip';
      this.#ready = this.#ready.filter((index) => index !== first);
      if (!skips && first !== join) this.#running += 1;
      this.#setLetter(first, skips ? 'x' : 'r');
      if (!skips) return;
      if (first === join) continue;
      this.#draft.skip(first);
      this.#markDead(this.#table.outOf.get(first) ?? []);
      this.#watch(first);
    }
  }

  /** What only a loop around the section could have come to is skipped as soon as that cannot go round any more. */
  #skipAround(): void {
    const spent = this.#spentNodes();
    if (spent.size === this.#spent.size) return;
    const lost = this.#skippedBy(spent);
    lost.removeAll(this.#skippedBy(this.#spent));
    this.#spent = spent;
    this.#draft.skipLater(lost);
  }

  /** What lies outside the section and has been skipped since it was entered. */
  skippedMeanwhile(): Bits {
    return this.#skippedBy(this.#spentNodes());
  }

  #skippedBy(spent: ReadonlySet<number>): Bits {
    return skippedMeanwhile(this.#draft.statics.graph, this.#table.section, spent, this.#table.around?.within ?? null);
  }

  #spentNodes(): ReadonlySet<number> {
    const { around } = this.#table;
    const spent = new Set<number>();
    if (around === null || rulesOf(this.#draft.now) === FIRST_RULES) return spent;
    for (const [node, backs] of around.backs) if (backs.every((edge) => this.#worth(edge) === 'd')) spent.add(node);
    return spent;
  }

  /** The head of a loop that goes round again, or the first node of all, runs whatever leads to it. */
  #letEnter(index: number): void {
    this.#setLetter(index, 'e');
    this.#ready.push(index);
  }

  #over(index: number): void {
    if ('gk'.includes(this.#letter(index))) this.#running -= 1;
    this.#setLetter(index, 'x');
  }

  #markDead(edges: readonly GraphEdge[]): void {
    for (const edge of edges) this.#marks[this.#slot(edge)] = 'd';
    this.#changed = true;
  }

  /** Before the section is forgotten: what reaches its join came by live edges only. */
  settleJoin(): void {
    const { join } = this.#table.section;
    if (join === NONE) return;
    const { graph } = this.#draft.statics;
    const live = this.liveSources(join);
    for (const edge of this.#table.into.get(join) ?? []) {
      const source = graph.idOf(edge.from);
      if (!live.has(source)) this.#draft.unfeed(graph.idOf(join), source);
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
    return this.#marks[this.#slot(edge)] ?? '.';
  }

  #letter(index: number): string {
    return this.#nodes[this.#table.slots.get(index) ?? -1] ?? '.';
  }

  #setLetter(index: number, letter: string): void {
    const slot = this.#table.slots.get(index);
    if (slot === undefined) throw new TypeError(`node ${index} is not in section ${this.#key}`);
    this.#nodes[slot] = letter;
    this.#changed = true;
  }
}

export function unentered(table: SectionTable): SectionState {
  return {
    marks: '.'.repeat(table.section.edges.length),
    nodes: '.'.repeat(table.slots.size),
    running: 0,
    ready: [],
    rewinding: [],
    loop: null,
  };
}

export function letterOf(table: SectionTable, state: SectionState, index: number): string {
  return state.nodes[table.slots.get(index) ?? -1] ?? '.';
}
