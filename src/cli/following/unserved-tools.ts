import { isObject, type JsonObject } from '../../../machines/json.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import type { JamjetClient, WorkerList } from '../../client/index.ts';
import type { ActiveNode } from '../../views/timeline.ts';

/** So many tools are named. */
const MAX_NAMED = 20;

/** Why queued nodes wait: by node, that no worker serves its tool. Asks the server only if a node waits for a worker. */
export async function unservedNodes(
  client: JamjetClient,
  ir: JsonObject,
  active: readonly Pick<ActiveNode, 'node' | 'queue'>[],
): Promise<ReadonlyMap<string, string>> {
  const queued = active.filter(({ queue }) => queue !== null && queue !== '');
  if (queued.length === 0) return new Map();
  const list = await client.workers();
  return new Map(
    queued.flatMap(({ node, queue }): [string, string][] => {
      const tool = toolOf(ir, node);
      const isUnserved = list.unserved.some((each) => each.queue === queue && each.tool === tool);
      return isUnserved && tool !== null ? [[node, unservedText(tool, list)]] : [];
    }),
  );
}

/** `no process serves draft_quot; did you mean "draft_quote"? here are: draft_quote, charge`. */
export function unservedText(tool: string, { workers }: Pick<WorkerList, 'workers'>): string {
  const tools = [...new Set(workers.flatMap(({ tools: served }) => served ?? []))].sort();
  const said = `no process serves ${tool}`;
  if (tools.length === 0) return `${said}: start a worker that does, or the server with --tools`;
  const near = didYouMean(tool, tools);
  const more = tools.length > MAX_NAMED ? ` and ${tools.length - MAX_NAMED} more` : '';
  const here = `here are: ${tools.slice(0, MAX_NAMED).join(', ')}${more}`;
  return near === null ? `${said}; ${here}` : `${said}; ${near} ${here}`;
}

function toolOf(ir: JsonObject, node: string): string | null {
  const nodes = isObject(ir.nodes) ? ir.nodes : {};
  const definition = Object.hasOwn(nodes, node) ? nodes[node] : undefined;
  const kind = isObject(definition) && isObject(definition.kind) ? definition.kind : {};
  return typeof kind.tool_ref === 'string' ? kind.tool_ref : null;
}
