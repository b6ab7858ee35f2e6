import type { Tools } from '../runtime/types/work.ts';
import type { WorkflowDefinition } from './definition.ts';

/** The functions of definitions. Throws `TypeError` if two of them call different functions by one name. */
export function toolsOfWorkflows(workflows: readonly WorkflowDefinition[]): Tools {
  const tools: Record<string, Tools[string]> = {};
  for (const { id, tools: own } of workflows) {
    for (const [name, tool] of Object.entries(own)) {
      if ((tools[name] ?? tool) !== tool)
        throw new TypeError(
          `workflow "${id}" calls another function as "${name}" than the workflows before it: rename one of the two`,
        );
      tools[name] = tool;
    }
  }
  return tools;
}
