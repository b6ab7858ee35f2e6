/**
 * An immutable map with integers as keys, sorted by them: a treap whose priorities are hashes of the keys. A change makes a new map and copies
 * only a path of the tree, so that the map before it stays valid and shares the rest.
 */
export type SortedMap<V> = SortedMapNode<V> | null;

interface SortedMapNode<V> {
  readonly key: number;
  readonly value: V;
  readonly left: SortedMap<V>;
  readonly right: SortedMap<V>;
}

/** Different for different keys: the factor is odd. */
function priorityOf(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> 0;
}

export function get<V>(map: SortedMap<V>, key: number): V | undefined {
  let node = map;
  while (node !== null && node.key !== key) node = key < node.key ? node.left : node.right;
  return node?.value;
}

export function put<V>(map: SortedMap<V>, key: number, value: V): SortedMapNode<V> {
  if (map === null) return { key, value, left: null, right: null };
  if (key === map.key) return { key, value, left: map.left, right: map.right };
  if (priorityOf(key) > priorityOf(map.key)) return { key, value, left: below(map, key), right: above(map, key) };
  return key < map.key
    ? { key: map.key, value: map.value, left: put(map.left, key, value), right: map.right }
    : { key: map.key, value: map.value, left: map.left, right: put(map.right, key, value) };
}

/** The entries with keys below `key`. */
export function below<V>(map: SortedMap<V>, key: number): SortedMap<V> {
  if (map === null) return null;
  if (map.key >= key) return below(map.left, key);
  const right = below(map.right, key);
  return right === map.right ? map : { key: map.key, value: map.value, left: map.left, right };
}

/** The entries with keys above `key`. */
export function above<V>(map: SortedMap<V>, key: number): SortedMap<V> {
  if (map === null) return null;
  if (map.key <= key) return above(map.right, key);
  const left = above(map.left, key);
  return left === map.left ? map : { key: map.key, value: map.value, left, right: map.right };
}

/** Both maps in one; all keys of `left` are below those of `right`. */
export function concat<V>(left: SortedMap<V>, right: SortedMap<V>): SortedMap<V> {
  if (left === null) return right;
  if (right === null) return left;
  return priorityOf(left.key) > priorityOf(right.key)
    ? { key: left.key, value: left.value, left: left.left, right: concat(left.right, right) }
    : { key: right.key, value: right.value, left: concat(left, right.left), right: right.right };
}

/** The value with the lowest key from `from` to `to`. */
export function firstIn<V>(map: SortedMap<V>, from: number, to: number): V | undefined {
  let found: V | undefined;
  let node = map;
  while (node !== null) {
    if (node.key < from) node = node.right;
    else {
      if (node.key <= to) found = node.value;
      node = node.left;
    }
  }
  return found;
}

/** Visits the values with keys from `from` to `to`, in ascending order. */
export function forEachIn<V>(map: SortedMap<V>, from: number, to: number, visit: (value: V) => void): void {
  if (map === null) return;
  if (map.key > from) forEachIn(map.left, from, to, visit);
  if (map.key >= from && map.key <= to) visit(map.value);
  if (map.key < to) forEachIn(map.right, from, to, visit);
}
