import type { Node } from 'yaml';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { Findings, type Position } from './diagnostic.ts';
import { type Source, valueCounter } from './source.ts';
import { map, pair, scalar, seq } from './tree.ts';

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

/** Each node has its place in `paths` before those within it. */
function nodeOf(value: Json, path: string, paths: string[]): Node {
  const offset = paths.push(path) - 1;
  if (Array.isArray(value)) {
    const items = value.map((item: Json, i) => nodeOf(item, `${path}[${i}]`, paths));
    return seq(items, offset);
  }
  if (!isObject(value)) return scalar(value, offset);
  const fields = Object.entries(value).map(([key, item]) => {
    const name = path === '' ? key : `${path}.${key}`;
    return pair(scalar(key, paths.push(name) - 1), nodeOf(item, name, paths));
  });
  return map(fields, offset);
}
