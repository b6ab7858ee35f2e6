import { type TObject, Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import { executionId } from '../requests/ids.ts';
import type { EventList } from '../schemas/events.ts';
import { anyJson, defined } from '../schemas/fields.ts';
import { EVENTS_PER_PAGE } from './limits.ts';

/** The request to the REST API that implements a tool. */
export interface RestRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: JsonObject;
}

export interface McpTool {
  readonly name: string;
  /** For the model that chooses a tool. */
  readonly description: string;
  readonly input: TObject;
  /** Whether the tool changes nothing. */
  readonly readOnly: boolean;
  /** Whether the effect cannot be undone. */
  readonly destructive?: boolean;
  /** Whether `input` is the schema of a document, which only describes: the arguments are not checked by it. */
  readonly describesOnly?: boolean;
  /** `args` is validated by `input`. Throws `RuntimeError` for an invalid id. */
  readonly request: (args: JsonObject) => RestRequest;
  /** The request for the result, from the reply to the first one. Default: that reply is the result. */
  readonly followUp?: (text: string) => RestRequest;
  /** Why the reply is a failure although its status is not one; null = it is none. Default: never. */
  readonly failure?: (text: string) => string | null;
  /** Converts the reply of the REST API. Default: unchanged. */
  readonly reply?: (text: string, args: JsonObject) => string;
  /** How to request less if the reply is too large. */
  readonly pagingHint?: string;
}

const text = (description: string) => Type.String({ description });
const optional = (description: string) => Type.Optional(text(description));

const ExecutionId = text('Id of the execution: exec_ and 32 hex digits.');
/** Sent by clients of other servers; the tenant is that of the token. */
const TenantId = optional('Must be the tenant of the token.');
const Limit = Type.Optional(Type.Integer({ minimum: 1, description: 'Maximum number of items.' }));

/** The tools. Each is a route of the REST API, under the name that MCP clients of JamJet know. */
export const TOOLS: readonly McpTool[] = [
  {
    name: 'jamjet_run_workflow',
    description:
      'Start an execution of a registered workflow. Returns its id at once; the execution continues in the background.',
    input: Type.Object({
      workflow_id: text('Id of the workflow.'),
      input: anyJson('Input of the execution, usually an object.'),
      workflow_version: optional('Default: the version registered last.'),
      key: optional('One live execution of the workflow has a key at most, such as `order-42`. Default: none.'),
      if_running: optional('`return`: an execution that has the key is the result. Default: an error that names it.'),
      tenant_id: TenantId,
    }),
    readOnly: false,
    request: ({ workflow_id, input, workflow_version, key, if_running }) => ({
      method: 'POST',
      url: '/executions',
      body: {
        ...defined('workflow_id', workflow_id),
        input: input ?? {},
        ...defined('workflow_version', workflow_version),
        ...defined('key', key),
        ...defined('if_running', if_running),
      },
    }),
  },
  {
    name: 'jamjet_get_execution',
    description: 'Read an execution: its status, state, input and, once completed, output.',
    input: Type.Object({ execution_id: ExecutionId, tenant_id: TenantId }),
    readOnly: true,
    request: (args) => ({ method: 'GET', url: executionUrl(args) }),
  },
  {
    name: 'jamjet_list_executions',
    description: 'List executions, newest first, without their states.',
    input: Type.Object({
      status: optional('Only this status: running, paused, completed, failed, cancelled, limit_exceeded.'),
      limit: Limit,
      offset: Type.Optional(Type.Integer({ minimum: 0, description: 'Number of items to skip.' })),
      tenant_id: TenantId,
    }),
    readOnly: true,
    request: (args) => ({ method: 'GET', url: `/executions${query(args, ['status', 'limit', 'offset'])}` }),
    pagingHint: 'request fewer with limit and offset',
  },
  {
    name: 'jamjet_cancel_execution',
    description: 'Cancel an execution, its active nodes and its child executions. This cannot be undone.',
    input: Type.Object({ execution_id: ExecutionId, tenant_id: TenantId }),
    readOnly: false,
    destructive: true,
    request: (args) => ({ method: 'POST', url: `${executionUrl(args)}/cancel`, body: { reason: 'cancelled via MCP' } }),
  },
  {
    name: 'jamjet_get_events',
    description: `Read the event log of an execution: what happened, in order, ${EVENTS_PER_PAGE} events at a time. If the result has next_after, there may be more: pass it as after.`,
    input: Type.Object({
      execution_id: ExecutionId,
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only events with a higher sequence.' })),
      limit: Limit,
      tenant_id: TenantId,
    }),
    readOnly: true,
    request: (args) => {
      const page = { ...defined('after', args.after), limit: pageSize(args) };
      return { method: 'GET', url: `${executionUrl(args)}/events${query(page, ['after', 'limit'])}` };
    },
    reply: (text, args) => {
      const { events } = JSON.parse(text) as EventList;
      const last = events.at(-1);
      return last === undefined || events.length < pageSize(args) ? text : JSON.stringify({ events, next_after: last.sequence });
    },
    pagingHint: 'request fewer events with after and limit',
  },
  {
    name: 'jamjet_approve',
    description: 'Decide a pending approval of an execution.',
    input: Type.Object({
      execution_id: ExecutionId,
      decision: text('approved or rejected.'),
      node_id: optional('The node whose approval is decided; required if several are pending.'),
      comment: optional('Kept with the decision.'),
      user_id: optional('The person on whose behalf the decision is made; recorded beside the name of the token.'),
      tenant_id: TenantId,
    }),
    readOnly: false,
    destructive: true,
    request: (args) => ({
      method: 'POST',
      url: `${executionUrl(args)}/approve`,
      body: {
        ...defined('decision', args.decision),
        ...defined('node_id', args.node_id),
        ...defined('comment', args.comment),
        ...defined('user_id', args.user_id),
      },
    }),
  },
  {
    name: 'jamjet_list_agents',
    description: 'List the registered agents.',
    input: Type.Object({
      status: optional('Only this status: registered, active, paused, deactivated.'),
      skill: optional('Only agents with this skill.'),
      protocol: optional('Only agents that speak this protocol: mcp, a2a, anp.'),
    }),
    readOnly: true,
    request: (args) => ({ method: 'GET', url: `/agents${query(args, ['status', 'skill', 'protocol'])}` }),
  },
  {
    name: 'jamjet_discover_agent',
    description: 'Fetch the card of a remote agent and register it.',
    input: Type.Object({ url: text('URL of the agent; its card is at /.well-known/agent.json below it.') }),
    readOnly: false,
    request: ({ url }) => ({ method: 'POST', url: '/agents/discover', body: { ...defined('url', url) } }),
  },
];

/** Throws `RuntimeError` `not_found` for an invalid id: `..` would lead to another route. */
function executionUrl({ execution_id }: JsonObject): string {
  return `/executions/${executionId(String(execution_id))}`;
}

function pageSize({ limit }: JsonObject): number {
  return typeof limit === 'number' ? Math.min(limit, EVENTS_PER_PAGE) : EVENTS_PER_PAGE;
}

/** `?a=1&b=2` from the given arguments. */
function query(args: JsonObject, names: readonly string[]): string {
  const given = new URLSearchParams();
  for (const name of names) if (args[name] !== undefined) given.set(name, String(args[name]));
  return given.size === 0 ? '' : `?${given}`;
}
