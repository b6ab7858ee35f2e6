import { isObject, type JsonObject } from '../../../machines/json.ts';

/** A node whose work nobody does in a run that only this process reaches. */
export interface UnavailableWork {
  readonly node: string;
  /** `the function "charge"`, `a worker of queue python_tool`. */
  readonly requirement: string;
}

const WORKER_QUEUES: Readonly<Record<string, string>> = { python_fn: 'python_tool', java_fn: 'java_tool' };
/** Queues of tools that the workflow declares. */
const TOOL_QUEUES: Readonly<Record<string, string>> = { python: 'python_tool', java: 'java_tool' };

/** The nodes of a workflow, as the API gives it, that need a function which is not at hand, or an external worker. */
export function unavailableWork(ir: JsonObject, functions: ReadonlySet<string>): readonly UnavailableWork[] {
  const tools = isObject(ir.tools) ? ir.tools : {};
  return Object.entries(isObject(ir.nodes) ? ir.nodes : {}).flatMap(([node, definition]): UnavailableWork[] => {
    const kind = isObject(definition) && isObject(definition.kind) ? definition.kind : {};
    const queue = typeof kind.type === 'string' && Object.hasOwn(WORKER_QUEUES, kind.type) ? WORKER_QUEUES[kind.type] : undefined;
    if (queue !== undefined) return [{ node, requirement: `a worker of queue ${queue}` }];
    if (kind.type !== 'tool' || typeof kind.tool_ref !== 'string' || functions.has(kind.tool_ref)) return [];
    const tool = Object.hasOwn(tools, kind.tool_ref) ? tools[kind.tool_ref] : undefined;
    const declared = isObject(tool) && typeof tool.kind === 'string' ? tool.kind : '';
    if (declared === 'http') return [];
    if (Object.hasOwn(TOOL_QUEUES, declared)) return [{ node, requirement: `a worker of queue ${TOOL_QUEUES[declared]}` }];
    return [{ node, requirement: `the function "${kind.tool_ref}"` }];
  });
}
