import { isObject, type JsonObject } from '../../machines/json.ts';
import { type CheckedFile, type CheckedTests, checkTests, checkWorkflow } from '../authoring/check.ts';
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

/** Checks it as if it was written to a file. Its problems are at the place where the program makes it. */
export function checkAuthored({ content, at, tools }: Authored): CheckedFile {
  const checked = checkWorkflow(JSON.stringify(content), at.file);
  return {
    ...checked,
    diagnostics: checked.diagnostics.map((diagnostic) => ({ ...diagnostic, ...at })),
    workflows: checked.workflows.map((workflow) => ({
      ...workflow,
      requirements: workflow.requirements.filter(({ type, name }) => type !== 'function' || !Object.hasOwn(tools, name)),
    })),
  };
}

/** Its tests, which are at the place where the program makes it too. */
export function checkAuthoredTests({ content, at }: Authored): readonly [CheckedTests, ...CheckedTests[]] {
  const [first, ...others] = checkTests(JSON.stringify(content), at.file);
  const placed = (tests: CheckedTests): CheckedTests => ({
    ...tests,
    diagnostics: tests.diagnostics.map((diagnostic) => ({ ...diagnostic, ...at })),
    locate: () => ({ line: at.line, column: at.column }),
  });
  return [placed(first), ...others.map(placed)];
}
