import { isObject, type JsonObject } from '../../machines/json.ts';
import { type CheckedFile, type CheckedTests, checkObject, checkObjectTests } from '../authoring/check.ts';
import type { AuthoredObject } from '../authoring/object-source.ts';
import type { Tools } from '../runtime/types/work.ts';

/** Marks what a program has defined as a workflow. A registered symbol: the project may have another copy of this package. */
const WORKFLOW = Symbol.for('jamjet-runtime.workflow');

/** A workflow file that a program has made, and its functions. */
export interface Authored {
  /** An object with the keys of a workflow file. */
  readonly content: JsonObject;
  /** The functions that its nodes call, by name. */
  readonly tools: Tools;
  /** Where the program makes it. Relative paths in it begin at the folder of `file`. */
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
}

/** What an export of a module stands for; null = it is no workflow. */
export function authoredOf(value: unknown): Authored | null {
  if (typeof value !== 'object' || value === null || !(WORKFLOW in value)) return null;
  const authored = value[WORKFLOW] as Partial<Authored>;
  const { content, tools, at } = authored;
  return content !== undefined && isObject(content) && tools !== undefined && at !== undefined ? (authored as Authored) : null;
}

/** Checks it. Its problems are at the place where the program makes it. */
export function checkAuthored(authored: Authored): CheckedFile {
  return checkObject(objectOf(authored));
}

/** Its tests, which are at the place where the program makes it too. */
export function checkAuthoredTests(authored: Authored): readonly [CheckedTests, ...CheckedTests[]] {
  return checkObjectTests(objectOf(authored));
}

/** A module in TypeScript is transpiled line by line, so that its lines are known, and its columns are not. */
function objectOf({ content, at, tools }: Authored): AuthoredObject {
  const column = /\.[cm]?ts$/.test(at.file) ? 1 : at.column;
  return { content, functions: Object.keys(tools), at: { ...at, column } };
}
