import { pathToFileURL } from 'node:url';
import type { Tool, Tools } from './runtime/types/work.ts';

/** A module of tools cannot be used; the message names it and says why. */
export class ToolsError extends Error {
  readonly code = 'bad_tools';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ToolsError';
  }
}

/** Loads a module's named exports that are functions, by name. `path` is absolute. */
export async function loadTools(path: string): Promise<Tools> {
  const exported = await importModule(path);
  const tools = Object.fromEntries(
    Object.entries(exported).filter((entry): entry is [string, Tool] => isTool(entry[1]) && entry[0] !== 'default'),
  );
  if (Object.keys(tools).length === 0)
    throw new ToolsError(`${path} exports no function; write \`export async function name(input, ctx)\``);
  return tools;
}

/** Loads the functions that a workflow file names under `tools:` (tool name → module path and export). */
export async function loadLocalTools(
  references: Readonly<Record<string, { readonly module: string; readonly export: string }>>,
): Promise<Tools> {
  const tools: Record<string, Tool> = {};
  for (const [name, reference] of Object.entries(references)) {
    const tool = (await importModule(reference.module))[reference.export];
    if (!isTool(tool)) throw new ToolsError(`tool ${name}: ${reference.module} exports no function "${reference.export}"`);
    tools[name] = tool;
  }
  return tools;
}

function isTool(value: unknown): value is Tool {
  return typeof value === 'function';
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new ToolsError(`cannot load tools from ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
