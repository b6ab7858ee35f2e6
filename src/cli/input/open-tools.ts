import { resolve } from 'node:path';
import { inspect } from 'node:util';
import type { Context } from '../context.ts';
import { userOf } from '../context.ts';
import { commandServers } from '../following/command-servers.ts';
import { plain } from '../terminal/text.ts';
import { settings } from './settings.ts';
import { moduleLoader, readValidWorkflow } from './workflow-file.ts';

/** Opens the tools of a workflow file, of a module and of the operator. */
export async function openTools(
  context: Context,
  { file, module }: { readonly file: string | undefined; readonly module: string | undefined },
) {
  const { ToolBox } = await import('../../server/tool-box.ts');
  const { loadTools } = await import('../../project/tools.ts');
  const authored = file === undefined ? null : await readValidWorkflow(file, context, { warnings: false });
  const documents = authored?.workflows.map(({ document }) => document) ?? [];
  return ToolBox.open({
    config: settings(context),
    functions: {
      ...(module === undefined ? {} : await loadTools(resolve(context.cwd, module), await moduleLoader(context.cwd))),
      ...(await authored?.tools()),
    },
    documents,
    commandServers: commandServers(documents),
    actor: userOf(context),
    onLog: (level, message, fields) => {
      if (level === 'debug') return;
      const rest = Object.keys(fields).length === 0 ? '' : ` ${inspect(fields, { breakLength: Number.POSITIVE_INFINITY })}`;
      context.stderr.write(`${level}: ${plain(message + rest)}\n`);
    },
  });
}
