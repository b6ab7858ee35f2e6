import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { commandServers } from '../following/command-servers.ts';
import { userOf } from '../following/host.ts';
import { settings } from './settings.ts';
import { readWorkflow, renderDiagnostics } from './workflow-file.ts';

/** Opens the tools of a workflow file, of a module and of the operator. */
export async function openTools(
  context: Context,
  { file, module }: { readonly file: string | undefined; readonly module: string | undefined },
) {
  const { ToolBox } = await import('../../tool-box.ts');
  const { loadLocalTools, loadTools } = await import('../../tools.ts');
  const authored = file === undefined ? null : await readWorkflow(file, context.cwd);
  if (authored !== null && authored.workflows.length === 0) {
    const { paintFor } = await import('../terminal/paint.ts');
    const paint = paintFor(context.stderr, context.env);
    throw new Failure(`${renderDiagnostics(authored.diagnostics, context, paint)}\n${file} is not a valid workflow`);
  }
  const documents = authored?.workflows.map(({ document }) => document) ?? [];
  return ToolBox.open({
    config: settings(context),
    functions: {
      ...(module === undefined ? {} : await loadTools(resolve(context.cwd, module))),
      ...(await loadLocalTools(authored?.localTools ?? {})),
    },
    documents,
    commandServers: commandServers(documents),
    actor: userOf(context),
  });
}
