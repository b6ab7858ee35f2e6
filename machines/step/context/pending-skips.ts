import { skipOrder } from '../../program/dead-paths.ts';
import type { ProgramTables } from '../../program/tables.ts';

/** Nodes that nothing can reach any more: skipped before the next control node in the order of skips, or when the machine has settled. */
export class PendingSkips {
  readonly #tables: ProgramTables;
  readonly #skip: (node: number) => void;
  #pending: number[] = [];
  /** The node that was left last. */
  #lastLeft: string | null = null;

  constructor(tables: ProgramTables, skip: (node: number) => void) {
    this.#tables = tables;
    this.#skip = skip;
  }

  noteLeft(node: string): void {
    this.#lastLeft = node;
  }

  queue(nodes: Iterable<number>): void {
    for (const node of nodes) this.#pending.push(node);
  }

  /** Another iteration begins: the nodes of the loop are reached again. */
  unqueueLoop(head: string): void {
    if (this.#pending.length === 0) return;
    const { graph } = this.#tables;
    const body = graph.loopFrom(graph.existingIndexOf(head))?.body;
    if (body !== undefined) this.unqueue(body);
  }

  unqueue(nodes: { has(node: number): boolean }): void {
    this.#pending = this.#pending.filter((node) => !nodes.has(node));
  }

  /** Skips what comes before a control node in the order of skips; null = everything that is left. */
  flush(control: number | null): void {
    if (this.#pending.length === 0) return;
    const { graph } = this.#tables;
    const pending = new Set(this.#pending);
    const from = this.#lastLeft === null ? null : graph.existingIndexOf(this.#lastLeft);
    for (const node of [...skipOrder(graph, pending, control === null ? null : { node: control, from })]) {
      pending.delete(node);
      this.#skip(node);
    }
    this.#pending = [...pending];
  }

  drop(): void {
    this.#pending = [];
  }

  /** Forgets what only transitions of the same move need, too. */
  clear(): void {
    this.drop();
    this.#lastLeft = null;
  }
}
