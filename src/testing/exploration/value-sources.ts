import type { Reference } from '../../../machines/expression/index.ts';
import { compileTemplate, referencesOf } from '../../../machines/expression/template.ts';
import type { Graph } from '../../../machines/graph/graph.ts';
import { isObject, type Json } from '../../../machines/json.ts';
import { definitionOf, outputFieldsOf, outputKeyOf } from '../../../machines/nodes/index.ts';
import { forwardsInput } from '../../../machines/program/output-use.ts';

/** The source of a value that a condition reads: a path in the output of a node, in the input, or an environment variable. */
export type ValueSource =
  | { readonly of: 'node'; readonly node: string; readonly path: readonly string[] }
  | { readonly of: 'input' | 'env'; readonly path: readonly string[] };

/** `named`: the key belongs to the node; `merged`: the output of the node may contain any key. */
type Certainty = 'named' | 'merged';

/** A path to trace, in the state after a node or in its output. */
interface Lookup {
  readonly what: 'state' | 'output';
  readonly node: number;
  readonly path: readonly string[];
  /** A later node may have merged the key already, so only a node that owns the key counts. */
  readonly named?: true;
}

/**
 * The nodes that last wrote the value that a condition of `reader` reads, found by walking backwards. A value that no node writes comes from
 * the input.
 */
export function sourcesOf(graph: Graph, reader: number, { root, path }: Reference): readonly ValueSource[] {
  if (root === 'env' || root === 'input') return [{ of: root, path }];
  if (root === 'output') return new SourceSearch(graph).from([{ what: 'output', node: reader, path }]);
  if (root === 'state') return new SourceSearch(graph).from([{ what: 'state', node: reader, path }]);
  if (root !== 'bare') return [];
  // A bare name is a key of the output, else of the state.
  const named = new SourceSearch(graph).from([{ what: 'state', node: reader, path }], ['named']);
  return named.length > 0 ? named : new SourceSearch(graph).from([{ what: 'output', node: reader, path }]);
}

class SourceSearch {
  readonly #graph: Graph;
  readonly #found = new Map<string, readonly [ValueSource, Certainty]>();
  readonly #seen = new Set<string>();
  #reachedStart = false;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  from(first: readonly Lookup[], accepted: readonly Certainty[] = ['named', 'merged']): readonly ValueSource[] {
    const pending = [...first];
    for (let lookup = pending.pop(); lookup !== undefined; lookup = pending.pop()) {
      const key = JSON.stringify(lookup);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      pending.push(...(lookup.what === 'state' ? this.#stateSources(lookup) : this.#outputSources(lookup)));
    }
    for (const certainty of accepted) {
      const found = [...this.#found.values()].filter(([, how]) => how === certainty);
      if (found.length > 0) return found.map(([source]) => source);
    }
    const state = first.find(({ what }) => what === 'state');
    return this.#reachedStart && state !== undefined && accepted.includes('merged') ? [{ of: 'input', path: state.path }] : [];
  }

  /** The sources of a key of the state after `node`. */
  #stateSources(lookup: Lookup): readonly Lookup[] {
    const { node, path, named } = lookup;
    const { id, kind } = this.#graph.node(node);
    const [key = '', ...rest] = path;
    const outputKey = outputKeyOf(kind);
    const definition = definitionOf(kind);
    const behaviour = definition.behaviour(kind);
    if (behaviour === 'control') {
      if (outputKey === key) return [{ what: 'output', node, path: rest }];
      return this.#before(lookup);
    }
    if (behaviour === 'approval') return key === id ? [] : this.#before(lookup);
    if (behaviour === 'wait') {
      if (definition.waitsForEvent(kind) === null) return this.#before(lookup);
      if (outputKey !== null && outputKey !== key) return this.#before(lookup);
      // The wait may time out without writing.
      if (outputKey !== null) this.#addSource(node, rest, 'named');
      else if (named === undefined) this.#addSource(node, path, 'merged');
      return this.#before(lookup);
    }
    const patchedKeys = definition.patchedKeys(kind);
    const patched = Object.hasOwn(patchedKeys, key) ? patchedKeys[key] : undefined;
    if (patched !== undefined) {
      this.#addSource(node, [...patched, ...rest], 'named');
      return [];
    }
    const fields = outputFieldsOf(kind);
    const field = fields?.find(([, receiver]) => receiver === key);
    if (field !== undefined) {
      this.#addSource(node, [field[0], ...rest], 'named');
      return [];
    }
    if (fields !== null && outputKey !== key) return this.#before(lookup);
    const mapping = definition.outputMapping(kind);
    const merges = outputKey === null && (definition.objectResultIsPatch || isObject(mapping));
    if (merges) {
      if (named === undefined) this.#addSource(node, mappedPath(mapping, path), 'merged');
      return this.#before({ ...lookup, named: true });
    }
    if ((outputKey ?? id) !== key) return this.#before(lookup);
    this.#addSource(node, rest, 'named');
    return [];
  }

  /** Continues before a node that does not write the key; before the start node is the input. */
  #before(lookup: Lookup): readonly Lookup[] {
    if (lookup.node === this.#graph.start) this.#reachedStart = true;
    return this.#predecessors(lookup.node).map((node) => ({ ...lookup, node }));
  }

  #outputSources({ node, path }: Lookup): readonly Lookup[] {
    const { kind } = this.#graph.node(node);
    if (forwardsInput(this.#graph, node)) return this.#predecessors(node).map((from) => ({ what: 'output', node: from, path }));
    if (this.#graph.isFirstJoin(node)) return this.#graph.sources(node).map((from) => ({ what: 'output', node: from, path }));
    const behaviour = definitionOf(kind).behaviour(kind);
    if (behaviour === 'control' && this.#graph.joins(node) === 'all') return this.#collectedSources(node, path);
    if (behaviour === 'approval' || behaviour === 'control') return [];
    this.#addSource(node, path, 'named');
    return [];
  }

  #collectedSources(node: number, [list, which = '', ...rest]: readonly string[]): readonly Lookup[] {
    const sources = this.#graph.sources(node);
    const source = list === 'outputs' ? sources[Number(which)] : this.#graph.indexOf(which);
    if (source === undefined || !sources.includes(source)) return [];
    return [{ what: 'output', node: source, path: rest }];
  }

  #predecessors(node: number): number[] {
    return [...this.#graph.forwardIn(node), ...this.#graph.backIn(node)].map(({ from }) => from);
  }

  #addSource(node: number, path: readonly string[], certainty: Certainty): void {
    const source: ValueSource = { of: 'node', node: this.#graph.idOf(node), path };
    const key = JSON.stringify(source);
    if (!this.#found.has(key)) this.#found.set(key, [source, certainty]);
  }
}

/** The path in the child's result for a key of the mapped output, if its template reads a single reference. */
function mappedPath(mapping: Json, path: readonly string[]): readonly string[] {
  if (!isObject(mapping)) return path;
  const [key = '', ...rest] = path;
  const [read, ...others] = referencesOf(compileTemplate(mapping[key] ?? null));
  return read === undefined || others.length > 0 || !['state', 'output', 'bare'].includes(read.root)
    ? path
    : [...read.path, ...rest];
}
