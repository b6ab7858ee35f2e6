import { dirname, resolve } from 'node:path';
import { checkTests, checkWorkflow } from '../authoring/check.ts';
import { type CheckedFile, type CheckedTests, checkObject, checkObjectTests } from '../authoring/check-object.ts';
import { withPromptFiles } from '../authoring/prompt-files.ts';
import { type Authored, authoredOf } from '../builder/definition.ts';
import type { Tools } from '../runtime/types/work.ts';
import { isModule } from './is-module.ts';
import type { Module, ModuleLoader } from './module-loader.ts';
import { loadLocalTools } from './tools.ts';
import { pathBelow } from './workflow-folder.ts';

/** A workflow file, or a module that exports workflows. */
export interface ProjectFile extends CheckedFile {
  /** The workflow to run if none is named; null = the file has several. */
  readonly mainId: string | null;
  /** Names of the functions that come with it. */
  readonly toolNames: readonly string[];
  /** Loads them. Rejects with `ModuleError`, `ToolsError` or `OutsideFolder`. */
  readonly tools: () => Promise<Tools>;
}

/** What a module exports cannot be used: no workflow, or several things of one name. */
export class ProjectError extends Error {
  readonly code = 'bad_project';
}

/** How files are read: modules by the loader, texts by `read`, which names them in its errors by `what`. */
export interface ProjectReader {
  readonly loader: ModuleLoader;
  readonly read: (path: string, what: string) => Promise<string>;
}

/**
 * Reads and checks a workflow file by its absolute path; `shown` names it in errors. A module is loaded, since its exports are the
 * workflows. Rejects with `ModuleError`, `ProjectError`, `OutsideFolder`, or the error of the file system.
 */
export async function readProjectFile(path: string, shown: string, reader: ProjectReader): Promise<ProjectFile> {
  return isModule(path) ? readModule(path, shown, reader) : readText(path, shown, reader);
}

/** The tests of a workflow file, by workflow. Rejects like `readProjectFile`. */
export async function readProjectTests(
  path: string,
  shown: string,
  reader: ProjectReader,
): Promise<readonly [CheckedTests, ...CheckedTests[]]> {
  if (!isModule(path)) return checkTests(await reader.read(path, shown), path);
  const { all } = workflowsIn(await loadModule(path, shown, reader), shown);
  const [first, ...others] = all.flatMap((authored) => checkObjectTests(atLine(authored)));
  if (first === undefined) throw noWorkflow(shown);
  const several = others.length > 0;
  const named = (tests: CheckedTests): CheckedTests =>
    several && tests.unit === null ? { ...tests, unit: tests.workflow?.workflow_id ?? null } : tests;
  return [named(first), ...others.map(named)];
}

async function readText(path: string, shown: string, reader: ProjectReader): Promise<ProjectFile> {
  reader.loader.add(path);
  const checked = await withPrompts(checkWorkflow(await reader.read(path, shown), path), path, shown, reader);
  const [first, second] = checked.workflows;
  return {
    ...checked,
    mainId: first !== undefined && second === undefined ? String(first.document.workflow_id) : null,
    toolNames: Object.keys(checked.localTools),
    tools: () => loadLocalTools(checked.localTools, dirname(path), reader.loader),
  };
}

async function readModule(path: string, shown: string, reader: ProjectReader): Promise<ProjectFile> {
  const { all, main } = workflowsIn(await loadModule(path, shown, reader), shown);
  const files = await Promise.all(
    all.map((authored) => withPrompts(checkObject(atLine(authored)), authored.at.file, shown, reader)),
  );
  const workflows = files.flatMap((file) => file.workflows);
  const isValid = files.every((file) => file.workflows.length > 0);
  rejectDuplicates(
    workflows.map(({ document }) => String(document.workflow_id)),
    shown,
  );
  const tools = toolsOf(all, shown);
  const mainFile = main === null ? undefined : files[all.indexOf(main)];
  const only = mainFile?.workflows.length === 1 ? mainFile.workflows[0] : undefined;
  return {
    document: workflows.length === 1 ? (workflows[0]?.document ?? null) : null,
    workflows: isValid ? workflows : [],
    diagnostics: files.flatMap((file) => file.diagnostics),
    localTools: {},
    mainId: only === undefined ? null : String(only.document.workflow_id),
    toolNames: Object.keys(tools),
    tools: async () => tools,
  };
}

/** Reads the file first, whose errors say more about a file that is missing. */
async function loadModule(path: string, shown: string, { loader, read }: ProjectReader): Promise<Module> {
  loader.add(path);
  await read(path, shown);
  return loader.load(path);
}

interface ExportedWorkflows {
  /** Those that subgraphs run included, each before the ones that need it. */
  readonly all: readonly Authored[];
  /** The default export, or the only one. */
  readonly main: Authored | null;
}

function workflowsIn(module: Module, shown: string): ExportedWorkflows {
  const exported = new Map<unknown, Authored>();
  for (const value of Object.values(module)) {
    const authored = authoredOf(value);
    if (authored !== null) exported.set(value, authored);
  }
  if (exported.size === 0) throw noWorkflow(shown);
  const all = [...exported].flatMap(([value, authored]) => {
    const { subworkflows = [] } = value as { readonly subworkflows?: readonly unknown[] };
    return [...subworkflows.flatMap((child) => authoredOf(child) ?? []), authored];
  });
  const byDefault = authoredOf(module.default);
  const [sole = null] = exported.size === 1 ? exported.values() : [];
  return { all: [...new Set(all)], main: byDefault ?? sole };
}

/** A module in TypeScript is transpiled line by line, so that its lines are known, and its columns are not. */
function atLine(authored: Authored): Authored {
  const { at } = authored;
  return /\.[cm]?ts$/.test(at.file) ? { ...authored, at: { ...at, column: 1 } } : authored;
}

function noWorkflow(shown: string): ProjectError {
  return new ProjectError(`${shown} exports no workflow; write \`export const name = workflow({ … })\``);
}

function rejectDuplicates(ids: readonly string[], shown: string): void {
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new ProjectError(`${shown} exports two workflows with the id "${twice}"`);
}

/** The functions of all workflows. They run in one process, where a name is one function. */
function toolsOf(all: readonly Authored[], shown: string): Tools {
  const tools: Record<string, Tools[string]> = {};
  for (const [name, tool] of all.flatMap((authored) => Object.entries(authored.tools))) {
    if (Object.hasOwn(tools, name) && tools[name] !== tool)
      throw new ProjectError(`${shown}: two workflows have different tools with the name "${name}": rename one of them`);
    tools[name] = tool;
  }
  return tools;
}

function withPrompts(checked: CheckedFile, path: string, shown: string, { loader, read }: ProjectReader): Promise<CheckedFile> {
  const folder = dirname(path);
  return withPromptFiles(checked, async (prompt, what) => {
    loader.add(resolve(folder, prompt));
    return read(await pathBelow(folder, prompt, `${shown}: ${what}`), `${shown}: ${what}`);
  });
}
