import { type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { Findings, type Position } from './diagnostic.ts';
import { type Source, valueCounter } from './source.ts';

/** A workflow file that a program has made: an object with the keys of a file. */
export interface AuthoredObject {
  readonly content: JsonObject;
  /** Names of the functions that come with it. */
  readonly functions: readonly string[];
  /** Where the program makes it: the place of all its problems. Relative paths in it begin at the folder of `file`. */
  readonly at: Position & { readonly file: string };
}

/** An object as a source. Its values have numbers as offsets, in their order, and problems name the path of the value. */
export function objectSource({ content, at }: AuthoredObject): Source {
  const paths: string[] = [];
  const { line, column, file } = at;
  const findings = new Findings(file, {
    positionOf: () => ({ line, column }),
    placeOf: (offset) => offset,
    pathOf: (offset) => paths[offset] || null,
  });
  const root = nodeOf(content, '', paths);
  return { file, root, findings, resolve: () => null, spend: valueCounter() };
}

function nodeOf(value: Json, path: string, paths: string[]): Node {
  if (Array.isArray(value)) {
    const seq = placed(new YAMLSeq(), path, paths);
    seq.items = value.map((item: Json, i) => nodeOf(item, `${path}[${i}]`, paths));
    return seq;
  }
  if (!isObject(value)) return placed(new Scalar(value), path, paths);
  const map = placed(new YAMLMap(), path, paths);
  map.items = Object.entries(value).map(([key, item]) => {
    const name = path === '' ? key : `${path}.${key}`;
    return new Pair(placed(new Scalar(key), name, paths), nodeOf(item, name, paths));
  });
  return map;
}

function placed<N extends Node>(node: N, path: string, paths: string[]): N {
  const offset = paths.push(path) - 1;
  node.range = [offset, offset, offset];
  return node;
}
