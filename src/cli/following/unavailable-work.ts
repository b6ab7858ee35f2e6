import { isObject, type JsonObject } from '../../../machines/json.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { Failure } from '../failure.ts';

/** A node that an embedded run cannot execute. */
export interface UnavailableWork {
  readonly node: string;
  /** `the function "charge"`, `a worker of queue python_tool`. */
  readonly requirement: string;
}

const WORKER_QUEUES: Readonly<Record<string, string>> = { python_fn: 'python_tool', java_fn: 'java_tool' };
/** Queues of tools by the kind declared in the workflow. */
const TOOL_QUEUES: Readonly<Record<string, string>> = { python: 'python_tool', java: 'java_tool' };

/** Nodes of a workflow (IR from the API) that need an external worker or a function that is not available. */
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
    const similar = didYouMean(kind.tool_ref, functions);
    return [{ node, requirement: `the function "${kind.tool_ref}"${similar === null ? '' : ` (${similar})`}` }];
  });
}

/** Throws if some nodes would wait forever, instead of starting an execution. */
export function rejectUnavailableWork(missing: readonly UnavailableWork[]): void {
  if (missing.length === 0) return;
  const listed = missing.map(({ node, requirement }) => `node "${node}" needs ${requirement}`);
  throw new Failure(`an embedded run cannot execute all nodes: ${listed.join('; ')}`, {
    hint: 'Provide functions with --tools MODULE or in the file (tools: {name: {kind: function, reference: "./tools.mjs#name"}}), or run on a server that workers connect to: `jamjet dev`.',
  });
}
