import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import { HANDOFF_PREFIX } from './agent-calls.ts';
import { toolName } from './agent-tools.ts';
import type { Named } from './field.ts';
import { custom } from './fields.ts';

/** An agent that may go on with the conversation of another one. */
export type Handoff = {
  /** Id of its node. */
  readonly agent: string;
  /** What the model is told of it; absent: the description of its node. */
  readonly description?: string;
};

/**
 * The node through which the handoffs of several agents lead, so that their loops have one entry. An agent of them that comes after the first may be handed
 * over to by one that it hands over to, directly or by others.
 */
export type HandoffRouter = {
  readonly node: string;
  /** The agents that it leads to; only at the first agent, whose it is. */
  readonly agents?: readonly string[];
};

/** What of an agent its handoffs depend on. */
export interface HandingOver {
  readonly handoff?: readonly Handoff[];
  readonly handoff_router?: HandoffRouter;
  readonly conversation_key: string;
}

/** An edge by which a conversation is handed over. */
export interface HandoffEdge {
  readonly to: string;
  readonly condition: string;
}

type WrittenHandoff = Named<'node'> | { readonly agent: Named<'node'>; readonly description?: string };

export const HANDOFF = custom(
  {
    schema: Type.Array(Type.Object({ agent: Type.String(), description: Type.Optional(Type.String()) })),
    document: Type.Unsafe<readonly WrittenHandoff[]>(
      Type.Array(Type.Unsafe({ type: ['string', 'object'], description: 'The id of an agent, or `{agent, description}`.' }), {
        description:
          'Agents of the same workflow that may go on with the conversation: the model gets a tool `handoff_to_<id>` for each. All of them have one conversation.',
      }),
    ),
    read: readHandoffs,
  },
  { distinctive: true },
);

export const HANDOFF_ROUTER = custom(
  {
    schema: Type.Object({ node: Type.String(), agents: Type.Optional(Type.Array(Type.String())) }),
    read: (): HandoffRouter | undefined => undefined,
    document: Type.Unsafe<HandoffRouter>(
      Type.Object({}, { description: 'Node through which handoffs lead. Set by the runtime.' }),
    ),
  },
  { only: 'normal form' },
);

/** The tool by which a model hands over to an agent. */
export function handoffTool(agent: string): string {
  return toolName(`${HANDOFF_PREFIX}${agent}`);
}

/** The edges by which an agent hands over: to the others, or to the node through which all handoffs of several agents lead. */
export function handoffEdges({
  handoff = [],
  handoff_router: router,
  conversation_key: key,
}: HandingOver): readonly HandoffEdge[] {
  if (router === undefined || handoff.length === 0)
    return handoff.map(({ agent }) => ({ to: agent, condition: `${calledTool(key)} == '${handoffTool(agent)}'` }));
  const tools = handoff.map(({ agent }) => `'${handoffTool(agent)}'`);
  return [{ to: router.node, condition: `${calledTool(key)} in [${tools.join(', ')}]` }];
}

/** The node through which handoffs lead, if it belongs to the agent. */
export function routerNodes({
  handoff_router: router,
  conversation_key: key,
}: HandingOver): readonly (readonly [string, JsonObject])[] {
  if (router?.agents === undefined) return [];
  const last = router.agents.at(-1);
  const conditionOf = (agent: string): string => `${calledTool(key)} == '${handoffTool(agent)}'`;
  const branches = router.agents.map((agent) => ({ condition: agent === last ? null : conditionOf(agent), target: agent }));
  return [[router.node, { kind: { type: 'condition', branches }, description: 'Handoffs' }]];
}

function calledTool(key: string): string {
  return `state.${key}.calls[0].name`;
}

/** Data of the `agent_handoff` of an answer, from the conversation that its result writes; null = the agent keeps the conversation. */
export function handoffIn(handoff: readonly Handoff[], conversation: Json | undefined, from: string): JsonObject | null {
  const [call = null] =
    isObject(conversation) && Array.isArray(conversation.calls) ? (conversation.calls as readonly Json[]) : [];
  if (!isObject(call)) return null;
  const target = handoff.find(({ agent }) => handoffTool(agent) === call.name);
  if (target === undefined) return null;
  const reason = isObject(call.arguments) ? call.arguments.reason : undefined;
  return { from, to: target.agent, ...(typeof reason === 'string' && reason !== '' ? { reason } : {}) };
}

function readHandoffs(fields: Fields, key: string): readonly Handoff[] | undefined {
  const tools = new Set<string>();
  return fields.list(key)?.flatMap((raw, i): Handoff[] => {
    const at = `${key}[${i}]`;
    const entry = typeof raw === 'string' ? { agent: raw } : raw;
    if (!isObject(entry)) {
      fields.error('wrong_type', at, 'must be the id of an agent, or {agent, description}');
      return [];
    }
    const read = fields.inside(at, entry);
    const agent = read.requiredName('agent');
    if (agent === '') return [];
    const tool = handoffTool(agent);
    if (tools.has(tool)) {
      fields.error(
        'duplicate_tool',
        at,
        `needs the tool "${tool}" a second time`,
        'name each agent once; give agents with like ids other ids',
      );
      return [];
    }
    tools.add(tool);
    return [{ agent, ...optional('description', read.text('description')) }];
  });
}
