import type { ToolConfig } from '../../machines/ir/workflow.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { Executor, WorkContext } from './executor.ts';
import { functionExecutor } from './function.ts';
import { httpExecutor } from './http.ts';
import { httpToolExecutor } from './http-tool.ts';
import type { Outbound } from './outbound.ts';

/** What this process can do work with. */
export interface ExecutorDeps {
  /** The operator's functions, by the `tool_ref` that calls them. */
  readonly tools: Readonly<Record<string, (input: never, context: WorkContext) => unknown>>;
  readonly outbound: Outbound;
}

/** How a node's work is done in this process; null = by an external worker. A registered function wins over a URL. */
export function executorFor(kind: Kind, declared: Readonly<Record<string, ToolConfig>>, deps: ExecutorDeps): Executor | null {
  if (kind.type === 'http') return httpExecutor(deps.outbound);
  if (kind.type !== 'tool') return null;
  const tool = Object.hasOwn(deps.tools, kind.tool_ref) ? deps.tools[kind.tool_ref] : undefined;
  if (tool !== undefined) return functionExecutor(tool);
  const config = Object.hasOwn(declared, kind.tool_ref) ? declared[kind.tool_ref] : undefined;
  return config?.kind === 'http' ? httpToolExecutor(deps.outbound, config.reference) : null;
}
