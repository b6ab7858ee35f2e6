import type { LocalTool } from '../authoring/tools.ts';
import { authoredOf } from '../builder/definition.ts';
import type { Tool, Tools } from '../runtime/types/work.ts';
import type { ModuleLoader } from './module-loader.ts';
import { pathBelow } from './workflow-folder.ts';

/** Functions cannot be used as tools; the message names the module and says why. */
export class ToolsError extends Error {
  readonly code = 'bad_tools';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ToolsError';
  }
}

/** Loads a module's named exports that are functions, by name, and the functions of the workflows that it exports. `path` is absolute. */
export async function loadTools(path: string, loader: ModuleLoader): Promise<Tools> {
  const exported = await loader.load(path);
  const ofWorkflows = Object.values(exported).map((value) => authoredOf(value)?.tools ?? {});
  const named = Object.entries(exported).filter((entry): entry is [string, Tool] => isTool(entry[1]) && entry[0] !== 'default');
  const tools: Tools = Object.assign({}, ...ofWorkflows, Object.fromEntries(named));
  if (Object.keys(tools).length === 0)
    throw new ToolsError(`${path} exports no function; write \`export async function name(input, ctx)\``);
  return tools;
}

/** Loads the functions that a workflow file in the folder names under `tools:` (tool name → module path and export). */
export async function loadLocalTools(
  references: Readonly<Record<string, LocalTool>>,
  folder: string,
  loader: ModuleLoader,
): Promise<Tools> {
  const tools: Record<string, Tool> = {};
  for (const [name, reference] of Object.entries(references)) {
    await pathBelow(folder, reference.module, `tool ${name}: ${reference.module}`);
    const tool = (await loader.load(reference.module))[reference.export];
    if (!isTool(tool)) throw new ToolsError(`tool ${name}: ${reference.module} exports no function "${reference.export}"`);
    tools[name] = tool;
  }
  return tools;
}

function isTool(value: unknown): value is Tool {
  return typeof value === 'function';
}
