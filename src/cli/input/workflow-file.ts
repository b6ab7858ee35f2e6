import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CheckedFile } from '../../authoring/check-object.ts';
import { isModule } from '../../project/is-module.ts';
import type { ModuleLoader } from '../../project/module-loader.ts';
import type { ProjectFile } from '../../project/project-file.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { shortPath } from '../terminal/path.ts';
import { plain } from '../terminal/text.ts';
import { readText } from './arguments.ts';

export type WorkflowDiagnostic = CheckedFile['diagnostics'][number];
export type AuthoredUnit = CheckedFile['workflows'][number];

/**
 * Whether the word names a workflow file and not a registered workflow: an existing file, or a word that looks like the path of one. Any
 * other word is an id, which may contain slashes.
 */
export function isWorkflowFile(word: string, cwd: string): boolean {
  return (
    /\.(ya?ml|json|[cm]?[jt]s)$/i.test(word) ||
    /^(\/|\.\.?(\/|$))/.test(word) ||
    statSync(resolve(cwd, word), { throwIfNoEntry: false })?.isFile() === true
  );
}

/**
 * Compiles and checks a workflow file, or the workflows that a module exports, with the prompts that they name. The checker is imported on
 * use, because it is slow to load.
 */
export async function readWorkflow(file: string, cwd: string, loader?: ModuleLoader): Promise<ProjectFile> {
  const { readProjectFile } = await import('../../project/project-file.ts');
  return readProjectFile(resolve(cwd, file), file, { loader: loader ?? (await moduleLoader(cwd)), read: readText });
}

/** A loader of the modules of one command. */
export async function moduleLoader(cwd: string): Promise<ModuleLoader> {
  const { ModuleLoader } = await import('../../project/module-loader.ts');
  return new ModuleLoader({ cwd, fresh: false });
}

/**
 * Compiles and checks a workflow file and prints its diagnostics; with `warnings: false`, only if it is not valid. Throws a `Failure` if it
 * is not.
 */
export async function readValidWorkflow(
  file: string,
  { stderr, env, cwd }: Pick<Context, 'stderr' | 'env' | 'cwd'>,
  { warnings, loader }: { readonly warnings: boolean; readonly loader?: ModuleLoader },
): Promise<ProjectFile> {
  const authored = await readWorkflow(file, cwd, loader);
  const isValid = authored.workflows.length > 0;
  if (authored.diagnostics.length > 0 && (warnings || !isValid))
    stderr.write(`${renderDiagnostics(authored.diagnostics, { cwd }, paintFor(stderr, env))}\n`);
  if (!isValid) throw new Failure(`${file} is not a valid workflow`);
  return authored;
}

/** The single workflow of a file, the default export of a module, or the named one of several. */
export function selectUnit(file: string, { workflows: units, mainId }: ProjectFile, name: string | undefined): AuthoredUnit {
  const ids = units.map(({ document }) => String(document.workflow_id));
  const unit = units[ids.indexOf(name ?? mainId ?? '')];
  if (unit !== undefined) return unit;
  const what = name === undefined ? `${file} contains several workflows: name one of them` : `${file} has no workflow "${name}"`;
  throw usageFailure(what, `It has: ${ids.join(', ')}.`);
}

/** `workflow.yaml:12:5  error  message`, or `workflow.ts:12 nodes.review.timeout  error  message`, and the hint under it. */
export function renderDiagnostics(
  diagnostics: readonly WorkflowDiagnostic[],
  context: Pick<Context, 'cwd'>,
  paint: Paint,
): string {
  return diagnostics
    .map(({ file, line, column, path, severity, message, code, hint }) => {
      const name = shortPath(file, context.cwd);
      const place = isModule(file) ? [`${name}:${line}`, path ?? []].flat().join(' ') : `${name}:${line}:${column}`;
      const word = severity === 'error' ? paint.red('error') : paint.yellow('warning');
      const advice = hint === null ? '' : `\n    ${paint.cyan('→')} ${plain(hint)}`;
      return `${plain(place)}  ${word}  ${plain(message)} ${paint.dim(`[${code}]`)}${advice}`;
    })
    .join('\n');
}

/** The variables that the workflows of a file name. */
export function variablesNeeded(authored: CheckedFile | null): readonly string[] {
  const needed = authored?.workflows.flatMap(({ requirements }) => requirements) ?? [];
  return needed.flatMap(({ type, name }) => (type === 'variable' ? [name] : []));
}
