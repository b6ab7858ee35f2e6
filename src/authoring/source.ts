import type { Alias, Node } from 'yaml';
import { MAX_VALUES } from '../../machines/limits.ts';
import { type Findings, UnreadableFile } from './diagnostic.ts';

/** A workflow file as a tree of values with positions. */
export interface Source {
  readonly file: string;
  /** Null only for an empty file. */
  readonly root: Node | null;
  readonly findings: Findings;
  /** The node of an alias; null = no anchor of that name precedes it. */
  resolve(alias: Alias): Node | null;
  /** Counts values that are read, because aliases can make a small file huge. Throws `UnreadableFile` beyond `MAX_VALUES`. */
  spend(values: number, at: number): void;
}

/** Counts the values that are read of one file. */
export function valueCounter(): Source['spend'] {
  let count = 0;
  return (values, at) => {
    count += values;
    if (count > MAX_VALUES)
      throw new UnreadableFile('too_many_values', `aliases make the file larger than ${MAX_VALUES} values`, at);
  };
}
