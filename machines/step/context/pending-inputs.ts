import type { Json } from '../../json.ts';
import { LazyMap } from '../../lazy-map.ts';
import { definitionOf, outputKeyOf } from '../../nodes/index.ts';
import { forwardsInput } from '../../program/output-use.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { Draft } from './context.ts';
import { type Context, lastInputOf, own, type PendingInput } from './context.ts';

/** Outputs of nodes on their way to the inputs of others, which keep them until they have read them. */
export class PendingInputs {
  readonly #tables: ProgramTables;
  readonly #draft: Draft;
  /** Outputs that conditions are about to read, with the state key that each was written to as well. */
  readonly #outputs = new LazyMap<string, { readonly output: Json; readonly key: string | null }>();

  constructor(tables: ProgramTables, draft: Draft) {
    this.#tables = tables;
    this.#draft = draft;
  }

  /** The last input of a node. */
  last(node: string): Json {
    return lastInputOf(this.#draft.now, node);
  }

  /** The state key that the last input was written to as well; null = none. */
  lastKey(node: string): string | null {
    return lastInputKeyOf(this.#tables, this.#draft.now, node);
  }

  /** Clears what a node has read. A join that is the target of a back edge merges the same sources again. */
  clearRead(node: string): void {
    const { graph } = this.#tables;
    const index = graph.existingIndexOf(node);
    const { kind } = graph.node(index);
    if (definitionOf(kind).joins(kind) === null || graph.backIn(index).length === 0) this.clear(node);
  }

  /** Clears what reached the join of a fork or subgraph in an earlier round. */
  clearJoin(key: string): void {
    const join = this.#tables.joins.get(key);
    if (join !== undefined) this.clear(join);
  }

  clear(node: string): void {
    if (own(this.#draft.now.pendingInputs, node) !== undefined) delete this.#draft.record('pendingInputs')[node];
  }

  clearInside(nodes: { has(index: number): boolean }): void {
    const { graph } = this.#tables;
    for (const node of Object.keys(this.#draft.now.pendingInputs)) if (nodes.has(graph.existingIndexOf(node))) this.clear(node);
  }

  /** `appends`: the target waits for several sources; otherwise earlier inputs are from an earlier round and are replaced. */
  deliver(target: string, source: string, output: Json, appends: boolean, key = this.#outputs.get(source)?.key): void {
    const { graph, outputUse, nodeOf } = this.#tables;
    const index = graph.existingIndexOf(target);
    if (outputUse.readsInput[index] !== true) return;
    const { kind } = graph.node(index);
    // A node without an output of its own counts as null where outputs are collected; otherwise a loop would nest them ever deeper.
    const collects = definitionOf(kind).joins(kind) === 'all';
    const value = collects && forwardsInput(graph, graph.existingIndexOf(source)) ? null : output;
    const isNamed = key === undefined || key === outputKeyOf(nodeOf(source).kind);
    const input: PendingInput = isNamed ? [source, value] : [source, value, key];
    const known = (appends ? own(this.#draft.now.pendingInputs, target) : undefined) ?? [];
    const others = known.some((other) => other[0] === source) ? known.filter((other) => other[0] !== source) : known;
    this.#draft.record('pendingInputs')[target] = [...others, input];
  }

  withdraw(target: string, source: string): void {
    const inputs = own(this.#draft.now.pendingInputs, target);
    if (inputs === undefined || !inputs.some(([from]) => from === source)) return;
    const left = inputs.filter(([from]) => from !== source);
    if (left.length === 0) this.clear(target);
    else this.#draft.record('pendingInputs')[target] = left;
  }

  /** Keeps a node's output until its transition is chosen. `key`: the state key that it was written to as well. */
  keepOutput(node: string, output: Json, key: string | null): void {
    const { graph, outputUse } = this.#tables;
    if (outputUse.outputIsRead[graph.existingIndexOf(node)] === true) this.#outputs.set(node, { output, key });
  }

  /** Null = none that is read. */
  keptOutput(node: string): Json {
    return this.#outputs.get(node)?.output ?? null;
  }

  dropOutput(node: string): void {
    this.#outputs.delete(node);
  }
}

/** The state key that the output was written to as well; null = none. */
export function inputKeyOf(tables: ProgramTables, [source, , key]: PendingInput): string | null {
  if (key !== undefined) return key;
  return tables.graph.indexOf(source) === undefined ? null : outputKeyOf(tables.nodeOf(source).kind);
}

/** That of the output which reached the node last. */
export function lastInputKeyOf(tables: ProgramTables, context: Context, node: string): string | null {
  const last = own(context.pendingInputs, node)?.at(-1);
  return last === undefined ? null : inputKeyOf(tables, last);
}
