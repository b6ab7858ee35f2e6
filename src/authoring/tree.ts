import type { Alias, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Json } from '../../machines/json.ts';

// The tree of a file, in the nodes of `yaml`, which its registered symbols tell apart: only reading a text loads that package.

const TYPE = Symbol.for('yaml.node.type');
const ALIAS = Symbol.for('yaml.alias');
const MAP = Symbol.for('yaml.map');
const PAIR = Symbol.for('yaml.pair');
const SCALAR = Symbol.for('yaml.scalar');
const SEQ = Symbol.for('yaml.seq');

export const isAlias = (node: unknown): node is Alias => typeOf(node) === ALIAS;
export const isMap = (node: unknown): node is YAMLMap => typeOf(node) === MAP;
export const isScalar = (node: unknown): node is Scalar => typeOf(node) === SCALAR;
export const isSeq = (node: unknown): node is YAMLSeq => typeOf(node) === SEQ;

function typeOf(node: unknown): unknown {
  return typeof node === 'object' && node !== null && (node as { [TYPE]?: unknown })[TYPE];
}

/** The scalar of a key of a map; undefined = none. */
export function scalarOf(map: YAMLMap, name: string): unknown {
  const value = map.items.find(({ key }) => isScalar(key) && key.value === name)?.value;
  return isScalar(value) ? value.value : undefined;
}

/** Nodes of what no text says. */
export const scalar = (value: Json, offset: number) => ({ [TYPE]: SCALAR, value, range: at(offset) }) as unknown as Scalar;
export const seq = (items: readonly Node[], offset: number) => ({ [TYPE]: SEQ, items, range: at(offset) }) as unknown as YAMLSeq;
export const map = (items: readonly Pair[], offset: number) => ({ [TYPE]: MAP, items, range: at(offset) }) as unknown as YAMLMap;
export const pair = (key: Node, value: Node) => ({ [TYPE]: PAIR, key, value }) as unknown as Pair;

function at(offset: number): NonNullable<Node['range']> {
  return [offset, offset, offset];
}
