import type { Cooperative } from '../cooperative.ts';
import { isObject, type JsonObject } from '../json.ts';
import { MAX_EDGES, MAX_NODES } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Expansion } from '../nodes/kind.ts';
import type { Fields } from '../reading/fields.ts';
import { boundBy } from './autonomy.ts';
import { type NodeDefaults, readNode } from './node.ts';
import type { Edge, Node } from './workflow.ts';

interface Expanded {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/**
 * Adds the nodes and edges that nodes stand for besides themselves (`KindDefinition.expand`). A generated node has the policies and the time limit of
 * the node that it belongs to, unless it has its own.
 */
export function* expandNodes(
  nodes: readonly Node[],
  edges: readonly Edge[],
  fields: Fields,
  defaults: NodeDefaults,
): Cooperative<Expanded> {
  const taken = new Set(nodes.map(({ id }) => id));
  const expanded: Node[] = [];
  const first: Edge[] = [];
  const added: Edge[] = [];
  let size = nodes.length;
  for (const node of nodes) {
    expanded.push(node);
    const expansion = definitionOf(node.kind).expand(node.kind, node.id);
    if (expansion === null) continue;
    size += expansion.nodes.length;
    if (size > MAX_NODES) {
      fields.error('too_many_nodes', 'nodes', `has more than ${MAX_NODES} nodes with those of agents`);
      return { nodes, edges };
    }
    for (const [id, raw] of expansion.nodes) {
      if (taken.has(id)) {
        const at = { node_id: id, path: `nodes.${id}` };
        fields.problems.error(
          'duplicate_node',
          `node "${id}" belongs to node "${node.id}", which calls its tools by nodes of such names`,
          at,
        );
        continue;
      }
      taken.add(id);
      const generated = boundBy(node, readNode(id, withOwner(raw, node), defaults, fields.problems));
      requireNoExpansion(generated, node, fields);
      expanded.push(generated);
      yield;
    }
    first.push(...edgesOf(expansion, 'first'));
    added.push(...edgesOf(expansion, 'edges'));
  }
  if (expanded.length === nodes.length && first.length === 0) return { nodes, edges };
  const all = [...first, ...edges, ...added];
  if (all.length > MAX_EDGES)
    fields.error('too_many_edges', 'edges', `has ${all.length} edges with those of agents; at most ${MAX_EDGES} are allowed`);
  return { nodes: expanded, edges: all };
}

/** Nodes of generated nodes would grow without a bound. */
function requireNoExpansion({ id, kind }: Node, owner: Node, fields: Fields): void {
  if (definitionOf(kind).handoffs(kind).length > 0)
    fields.problems.error(
      'bad_handoff',
      `node "${id}" is a tool of the agent "${owner.id}", and its answer is the result: it cannot hand over its conversation`,
      { node_id: owner.id, path: `nodes.${owner.id}.kind.tools`, hint: `hand over from "${owner.id}", or make it a workflow` },
    );
  if ((definitionOf(kind).expand(kind, id)?.nodes.length ?? 0) === 0) return;
  fields.problems.error(
    'nested_agent',
    `node "${id}" is an agent with tools, which cannot be a tool of the agent "${owner.id}"`,
    {
      node_id: owner.id,
      path: `nodes.${owner.id}.kind.tools`,
      hint: 'put it into a workflow of its own, and name that as the tool',
    },
  );
}

function withOwner(raw: JsonObject, { policy, data_policy }: Node): JsonObject {
  return {
    ...(policy === null ? {} : { policy: policy as unknown as JsonObject }),
    ...(data_policy === null ? {} : { data_policy: data_policy as unknown as JsonObject }),
    ...raw,
  };
}

function edgesOf(expansion: Expansion, which: 'first' | 'edges'): Edge[] {
  return expansion[which].filter(isObject).map(({ from, to, condition }) => ({
    from: String(from),
    to: String(to),
    condition: typeof condition === 'string' ? condition : null,
  }));
}
