import { definitionOf, type Kind } from '../nodes/index.ts';
import type { KindDefinition } from '../nodes/kind.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import type { Node } from './workflow.ts';

/**
 * The nodes, where agents that hand over to each other have one conversation: that of the one that names its key, else that of the first of them. Notes
 * agents that cannot be handed over to, and leaves them out.
 */
export function withHandoffs(nodes: readonly Node[], fields: Fields): readonly Node[] {
  if (nodes.every((node) => handoffsOf(node).length === 0)) return nodes;
  const agents = new Map(nodes.filter((node) => keyOf(node) !== null).map((node) => [node.id, node]));
  const resolved = nodes.map((node) => withTargets(node, agents, fields));
  const changes = new Map(groupsOf(resolved).flatMap((group) => changesOf(group, fields)));
  return resolved.map((node) => {
    const change = changes.get(node.id);
    return change === undefined ? node : { ...node, kind: definitionOf(node.kind).withConversation(node.kind, change) };
  });
}

function handoffsOf({ kind }: Node) {
  return definitionOf(kind).handoffs(kind);
}

function keyOf({ kind }: Node): string | null {
  return definitionOf(kind).conversation(kind);
}

/** The node with the agents that it can hand over to, each with its description. */
function withTargets(node: Node, agents: ReadonlyMap<string, Node>, fields: Fields): Node {
  const named = handoffsOf(node);
  if (named.length === 0) return node;
  const handoff = named.flatMap(({ agent, description = agents.get(agent)?.description }, i) => {
    const fault = faultOf(node.id, agent, agents);
    if (fault === null) return [{ agent, ...(description == null ? {} : { description }) }];
    const path = `nodes.${node.id}.kind.handoff[${i}]`;
    const { code, text, hint } = fault;
    fields.problems.error(code, `${path} names "${agent}", ${text}`, { node_id: node.id, path, hint });
    return [];
  });
  return { ...node, kind: definitionOf(node.kind).withConversation(node.kind, { handoff }) };
}

/** Why an agent cannot be handed over to; null = it can. */
function faultOf(
  id: string,
  agent: string,
  agents: ReadonlyMap<string, Node>,
): { readonly code: string; readonly text: string; readonly hint: string } | null {
  const others = [...agents.keys()].filter((other) => other !== id);
  const possible = others.length === 0 ? 'add another node of type agent with a model' : `possible: ${others.join(', ')}`;
  if (agent === id) return { code: 'bad_handoff', text: 'which is the agent itself', hint: possible };
  if (agents.has(agent)) return null;
  const text = 'which is no agent with a model in this workflow';
  return { code: 'unknown_agent', text, hint: didYouMean(agent, others) ?? possible };
}

/** The agents that are joined by handoffs, in the order of the document. */
function groupsOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const groups = new Map<string, Set<string>>();
  for (const node of nodes)
    for (const { agent } of handoffsOf(node)) {
      const joined = new Set([...(groups.get(node.id) ?? [node.id]), ...(groups.get(agent) ?? [agent])]);
      for (const member of joined) groups.set(member, joined);
    }
  return [...new Set(groups.values())].map((group) => nodes.filter(({ id }) => group.has(id)));
}

type Change = Parameters<KindDefinition<Kind>['withConversation']>[1];

/** What the agents of a group have in common: their conversation, and the node through which their handoffs lead, if they need one. */
function changesOf(group: readonly Node[], fields: Fields): readonly (readonly [id: string, Change])[] {
  const [first] = group;
  const key = sharedKey(group, fields);
  const node = `${first?.id}.handoffs`;
  const isRouted = group.some((member) => member !== first && reaches(member, member, group, first));
  const agents = [...new Set(group.flatMap((member) => handoffsOf(member).map(({ agent }) => agent)))];
  return group.map((member) => {
    const router = isRouted ? { router: member === first ? { node, agents } : { node } } : {};
    return [member.id, { key, ...router }];
  });
}

/** Do handoffs lead from one agent to another, without passing `avoided`? */
function reaches(from: Node, to: Node, group: readonly Node[], avoided: Node | undefined): boolean {
  const byId = new Map(group.map((member) => [member.id, member]));
  const reached = new Set<Node>();
  const targets = (node: Node): Node[] => handoffsOf(node).flatMap(({ agent }) => byId.get(agent) ?? []);
  const next = targets(from);
  for (const node of next)
    if (node !== avoided && !reached.has(node)) {
      reached.add(node);
      next.push(...targets(node));
    }
  return reached.has(to);
}

function sharedKey(group: readonly Node[], fields: Fields): string {
  const named = group.filter((node) => keyOf(node) !== definitionOf(node.kind).defaultConversation(node.kind, node.id));
  const first = named[0] ?? group[0];
  const key = (first && keyOf(first)) ?? '';
  const other = named.find((node) => keyOf(node) !== key);
  if (other !== undefined) {
    const path = `nodes.${other.id}.kind.conversation_key`;
    const message = `${path} is "${keyOf(other)}", but "${first?.id}", with which it shares its conversation by handoffs, has "${key}"`;
    fields.problems.error('bad_handoff', message, { node_id: other.id, path, hint: 'name the same key, or none' });
  }
  return key;
}
