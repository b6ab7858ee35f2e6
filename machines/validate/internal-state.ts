import type { Workflow } from '../ir/workflow.ts';
import { definitionOf } from '../nodes/index.ts';
import { namedKeysOf } from '../program/internal-state.ts';
import type { Problems } from '../reading/problems.ts';

/** Refuses nodes that would write the conversation of an agent: it says which tools are called. */
export function checkInternalState({ nodes }: Workflow, problems: Problems): void {
  const agents = new Map<string, string>();
  for (const { id, kind } of nodes)
    for (const [key, given] of Object.entries(definitionOf(kind).internalState(kind))) if (given.length > 0) agents.set(key, id);
  if (agents.size === 0) return;
  for (const { id, kind } of nodes) {
    const key = [id, ...namedKeysOf(kind)].find((one) => agents.has(one));
    if (key === undefined) continue;
    const message = `node "${id}" would write state.${key}, the conversation of agent "${agents.get(key)}"`;
    problems.error('internal_state', message, { node_id: id, path: `nodes.${id}`, hint: 'give one of the two another name' });
  }
}
