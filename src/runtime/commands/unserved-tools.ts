import type { Diagnostic } from '../../../machines/diagnostics.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { isServed, servedTools } from '../activities/external/served-tools.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import type { WorkerView } from '../types/work.ts';

/** So many tools are named in a hint. */
const MAX_NAMED = 20;

/**
 * A warning for each node whose tool is in no process: its work would wait. `workers` is called only if a node asks for a tool that this process
 * lacks.
 */
export async function unservedTools(
  { nodes }: Workflow,
  { isLocal }: Pick<LoadedWorkflow, 'isLocal'>,
  workers: () => Promise<readonly WorkerView[]>,
  nowMs: number,
): Promise<readonly Diagnostic[]> {
  const external = nodes.flatMap(({ id, kind }) => {
    const definition = definitionOf(kind);
    const { keepsJournal } = definition;
    const tool = keepsJournal ? (definition.policyNames(kind)[0] ?? null) : definition.tool(kind);
    const queue = definition.queue(kind);
    return tool === null || queue === null || isLocal(id) ? [] : [{ id, tool, queue, keepsJournal }];
  });
  if (external.length === 0) return [];
  const known = await workers();
  const tools = servedTools(known, nowMs);
  return external
    .filter((work) => !isServed(work, known, nowMs))
    .map(({ id, tool, keepsJournal }) => ({
      severity: 'warning',
      code: 'unserved_tool',
      node_id: id,
      path: `nodes.${id}.${keepsJournal ? 'function_ref' : 'tool_ref'}`,
      message: `node "${id}": no process serves the ${keepsJournal ? 'function' : 'tool'} "${tool}"; the node will wait until a worker does`,
      hint: hintFor(tool, tools),
    }));
}

function hintFor(tool: string, tools: readonly string[]): string {
  if (tools.length === 0) return 'start a worker that serves it, or the server with a module that exports it (--tools)';
  const more = tools.length > MAX_NAMED ? ` and ${tools.length - MAX_NAMED} more` : '';
  const here = `here are: ${tools.slice(0, MAX_NAMED).join(', ')}${more}`;
  const near = didYouMean(tool, tools);
  return near === null ? here : `${near} ${here}`;
}
