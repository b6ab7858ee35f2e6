import type { JsonObject } from '../../machines/json.ts';
import type { AuthoringDiagnostic } from '../authoring/diagnostic.ts';
import type { Tools } from '../runtime/types/work.ts';
import { ModuleError } from './module-error.ts';
import { ModuleLoader } from './module-loader.ts';
import { type ProjectFile, type ProjectReader, readProjectFile } from './project-file.ts';
import { loadTools } from './tools.ts';

/** The files that a development server serves. */
export interface ProjectSources {
  readonly cwd: string;
  /** Workflow files, as the user names them. */
  readonly workflows: readonly string[];
  /** Modules whose exports are tools. */
  readonly tools: readonly string[];
  readonly resolve: (file: string) => string;
  readonly read: ProjectReader['read'];
}

/** What the files of a project contain. */
export interface LoadedProject {
  readonly documents: readonly JsonObject[];
  readonly tools: Tools;
  /** Names of the environment variables that the workflows read. */
  readonly variables: readonly string[];
  /** Warnings, in the order of the files. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
}

/** What was read of a project; `project` is null if something is wrong with it. */
export interface ReadProject {
  readonly project: LoadedProject | null;
  /** Every file whose change may give another result, those that are missing included. */
  readonly files: ReadonlySet<string>;
  /** What is wrong with workflows; empty if `project` is not null, or if a file could not be read at all. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** A file could not be read or a module not be loaded. */
  readonly error: unknown;
}

/** Reads all files of a project anew, also modules that this process has loaded before. */
export async function readProject({ cwd, workflows, tools: modules, resolve, read }: ProjectSources): Promise<ReadProject> {
  const loader = new ModuleLoader({ cwd, fresh: true });
  for (const file of [...workflows, ...modules]) loader.add(resolve(file));
  try {
    const files: ProjectFile[] = [];
    // One after the other: a module that two of them import is evaluated once.
    for (const file of workflows) files.push(await readProjectFile(resolve(file), file, { loader, read }));
    const diagnostics = files.flatMap((file) => file.diagnostics);
    if (files.some((file) => file.workflows.length === 0))
      return { project: null, files: loader.files, diagnostics, error: null };
    const tools: Record<string, Tools[string]> = {};
    for (const module of modules) Object.assign(tools, await loadTools(resolve(module), loader));
    for (const file of files) Object.assign(tools, await file.tools());
    const documents = files.flatMap((file) => file.workflows.map(({ document }) => document));
    const needs = files.flatMap((file) => file.workflows.flatMap(({ requirements }) => requirements));
    const variables = needs.flatMap(({ type, name }) => (type === 'variable' ? [name] : []));
    return { project: { documents, tools, variables, diagnostics }, files: loader.files, diagnostics: [], error: null };
  } catch (error) {
    const missing = error instanceof ModuleError ? error.missing : [];
    return { project: null, files: new Set([...loader.files, ...missing]), diagnostics: [], error };
  }
}
