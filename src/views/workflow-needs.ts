import { normalise } from '../../machines/ir/normalise.ts';
import type { JsonObject } from '../../machines/json.ts';
import { definitionOf } from '../../machines/nodes/index.ts';

export const NEED_KINDS = ['tool', 'model', 'mcp_server', 'agent', 'workflow', 'event', 'person'] as const;

/** Something outside a workflow that its nodes need to run. */
export interface Need {
  /**
   * - `tool`: a function of the server or of a worker, or a URL that the workflow declares;
   * - `model`: the name of a model, or of an entry of the workflow's `models`;
   * - `mcp_server`, `agent`, `workflow`: by name, or by URL;
   * - `event`: an event from outside, by its correlation key;
   * - `person`: a person who decides.
   */
  readonly kind: (typeof NEED_KINDS)[number];
  /** Empty for a person. */
  readonly name: string;
  /** Queue that external workers claim it from; null = none. Only of a tool. */
  readonly queue: string | null;
  /** Nodes that need it, in their order. */
  readonly nodes: readonly string[];
}

/** What a workflow needs, by kind and name. The document is one that was registered. */
export function workflowNeeds(document: JsonObject): readonly Need[] {
  const needs = new Map<string, { readonly need: Omit<Need, 'nodes'>; readonly nodes: string[] }>();
  for (const { id, kind } of normalise(document).workflow.nodes) {
    const add = (need: Omit<Need, 'nodes' | 'queue'> & { readonly queue?: string | null }): void => {
      const key = `${need.kind} ${need.name}`;
      const entry = needs.get(key) ?? { need: { queue: null, ...need }, nodes: [] };
      if (entry.nodes.at(-1) !== id) entry.nodes.push(id);
      needs.set(key, entry);
    };
    const definition = definitionOf(kind);
    const server = definition.mcpServer(kind);
    const tool = definition.tool(kind);
    const agent = definition.remoteAgent(kind);
    const child = definition.childWorkflow(kind);
    const event = definition.waitsForEvent(kind);
    if (server !== null) add({ kind: 'mcp_server', name: server });
    if (tool !== null && server === null) add({ kind: 'tool', name: tool, queue: definition.queue(kind) });
    for (const { name } of definition.furtherTools(kind)) add({ kind: 'tool', name });
    for (const [name] of [definition.models(kind), ...definition.furtherModels(kind)])
      if (name !== undefined) add({ kind: 'model', name });
    if (agent !== null) add({ kind: 'agent', name: agent });
    if (child !== null) add({ kind: 'workflow', name: child.ref });
    for (const called of definition.functionScope(kind).calls ?? []) add({ kind: 'workflow', name: called });
    if (event !== null) add({ kind: 'event', name: event });
    if (definition.behaviour(kind) === 'approval') add({ kind: 'person', name: '' });
  }
  const order = (need: { readonly kind: Need['kind'] }): number => NEED_KINDS.indexOf(need.kind);
  return [...needs.values()]
    .map(({ need, nodes }): Need => ({ ...need, nodes }))
    .sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}
