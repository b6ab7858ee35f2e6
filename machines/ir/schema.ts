import type { TSchema } from 'typebox';
import { AUTONOMY_LEVELS, AutonomySetting } from '../autonomy.ts';
import { MAX_STEPS } from '../limits.ts';
import { documentObject as documentKeys, documentSchema } from '../nodes/field-tables.ts';
import { durationSchema as duration } from '../nodes/fields.ts';
import { definitionNamed, KIND_ALIASES, KIND_NAMES, type KindName } from '../nodes/index.ts';
import { Type } from '../type.ts';
import { DataPolicy } from './data-policy.ts';
import { McpServer } from './mcp-servers.ts';
import { OAuth, TOKEN_EXCHANGE } from './oauth.ts';
import { RemoteAgent } from './remote-agents.ts';
import { MIN_LOG_BYTES } from './settings.ts';
import { Edge, PolicySet, RetryPolicy, Timeouts, TokenBudget, ToolConfig } from './workflow.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * JSON Schema of a workflow document, generated from the schemas of the normal form, so that it has every kind and key there is. It describes the
 * canonical place of each key, and the other spellings that are accepted there; a null counts as absent. Unknown keys are allowed, as in `normalise`.
 * What no schema can say (names that exist, loops, expressions) is left to `validate`.
 *
 * `refTo` makes the reference to a definition, such as `#/components/schemas/…` in an OpenAPI document; the definitions themselves are under `$defs`.
 *
 * @example
 * const { $defs, ...workflow } = irSchema((name) => `#/components/schemas/${name}`);
 */
export function irSchema(refTo: (name: string) => string = (name) => `#/$defs/${name}`): JsonSchema & {
  readonly $defs: Readonly<Record<string, JsonSchema>>;
} {
  const ref = (name: string) => Type.Unsafe<never>({ $ref: refTo(name) });
  const definitions: Record<string, JsonSchema> = {
    WorkflowNode: nodeSchema(ref),
    NodeKind: kindUnion(refTo),
    ...Object.fromEntries(KIND_NAMES.map((name) => [definitionName(name), kindSchema(name)])),
    WorkflowEdge: documentObject(Edge, { required: ['from', 'to'], aliases: { condition: ['when'] } }),
    WorkflowRetryPolicy: retryPolicySchema(),
    WorkflowPolicy: documentObject(PolicySet),
    WorkflowAutonomy: documentObject(AutonomySetting),
    WorkflowDataPolicy: documentObject(DataPolicy),
    WorkflowTool: documentObject(ToolConfig, { required: ['kind', 'reference'], aliases: { reference: ['ref'] } }),
    WorkflowMcpServer: mcpServerSchema(),
    WorkflowRemoteAgent: documentObject(RemoteAgent, { required: ['url'] }),
    WorkflowOAuth: oauthSchema(),
    WorkflowTimeouts: timeoutsSchema(),
    WorkflowTokenBudget: documentObject(TokenBudget),
  };
  return plain({ ...workflowSchema(ref), $defs: definitions }) as ReturnType<typeof irSchema>;
}

/** Name of the definition of a kind: `HumanApprovalKind`. */
function definitionName(kind: KindName): string {
  return `${kind.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}Kind`;
}

interface ObjectSpec {
  readonly required?: readonly string[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** Properties in place of those of the normal form, or beside them. */
  readonly properties?: Readonly<Record<string, TSchema>>;
}

/** An object of the normal form as documents may write it: with other spellings, and without what has a default. */
function documentObject(normalForm: TSchema, { properties: own = {}, ...spec }: ObjectSpec = {}): JsonSchema {
  const { description, properties: normal } = normalForm as TSchema & {
    readonly properties: Readonly<Record<string, TSchema>>;
    description?: string;
  };
  return documentKeys({ ...normal, ...own }, { description, ...spec }) as JsonSchema;
}

function kindSchema(name: KindName): JsonSchema {
  const { fields, description } = definitionNamed(name).declaration;
  const names = [name, ...Object.keys(KIND_ALIASES).filter((alias) => KIND_ALIASES[alias] === name)];
  return documentSchema(fields, description, { type: Type.Enum(names, { description: 'The kind of the node.' }) }) as JsonSchema;
}

function kindUnion(refTo: (name: string) => string): JsonSchema {
  const targets = KIND_NAMES.map((name) => [name, refTo(definitionName(name))] as const);
  const aliases = Object.entries(KIND_ALIASES).map(([alias, name]) => [alias, refTo(definitionName(name))] as const);
  return {
    description: 'What a node does; `type` names the kind. Keys of a kind may also stand on the node, beside `kind`.',
    oneOf: targets.map(([, $ref]) => ({ $ref })),
    discriminator: { propertyName: 'type', mapping: Object.fromEntries([...targets, ...aliases]) },
  };
}

type Ref = (name: string) => TSchema;

function nodeSchema(ref: Ref): JsonSchema {
  const normal = Type.Object(
    {
      id: Type.String({ description: 'Node id; in a map of nodes, the key again.' }),
      kind: ref('NodeKind'),
      retry_policy: Type.Union([Type.String(), ref('WorkflowRetryPolicy')], {
        description:
          'Name of a retry policy of the workflow or of a built-in one (`no_retry`, `fast`, `io_default`, `llm_default`), or a policy.',
      }),
      retry: described(ref('WorkflowRetryPolicy'), 'A retry policy; what it leaves out comes from `retry_policy`.'),
      node_timeout_secs: duration(
        'Time for one attempt of work. Default: `timeouts.node_timeout` of the workflow, else 300 seconds.',
      ),
      description: Type.String({ description: 'Shown to people.' }),
      labels: Type.Record(Type.String(), Type.String(), { description: 'Names and values of your own.' }),
      autonomy: Type.Union([Type.Enum([...AUTONOMY_LEVELS]), described(ref('WorkflowAutonomy'), 'A level, and limits.')], {
        description:
          'How far the node, or the agent with its tools, may go without a person: a level, or a level with limits. `guided`: a person approves every call of a tool.',
      }),
      circuit_breaker_threshold: Type.Integer({
        minimum: 1,
        description: 'Failed attempts in a row after which a person decides whether another may begin. Default: no limit.',
      }),
      policy: described(ref('WorkflowPolicy'), 'Comes before the policy of the workflow.'),
      data_policy: described(ref('WorkflowDataPolicy'), 'Added to that of the workflow.'),
      oauth_scopes: Type.Union(
        [
          Type.Array(Type.String(), { description: 'Scopes.' }),
          Type.Object({ required_scopes: Type.Array(Type.String(), { description: 'Scopes.' }) }, { description: 'The same.' }),
        ],
        {
          description:
            'Scopes of the access token that the work of the node gets, by `oauth` of the workflow. Default: it gets none.',
        },
      ),
      required_scopes: Type.Array(Type.String(), { description: 'The same as `oauth_scopes`.' }),
    },
    { description: 'A step of the workflow.' },
  );
  return documentObject(normal, { required: ['kind'] });
}

/** A reference with a description of its own. */
function described(schema: TSchema, description: string): TSchema {
  return Type.Unsafe({ ...schema, description });
}

function delay(description: string): TSchema {
  return Type.Union([Type.Number({ minimum: 0 }), Type.String()], {
    description: `${description} Seconds, or a text such as \`2s\` or \`250ms\`.`,
  });
}

function retryPolicySchema(): JsonSchema {
  const milliseconds = (key: string) => Type.Number({ minimum: 0, description: `\`${key}\` in milliseconds.` });
  return documentObject(RetryPolicy, {
    aliases: { initial_delay: ['base_delay', 'delay'], retryable_on: ['retryable_errors', 'retry_on'] },
    properties: {
      backoff: Type.Enum(['fixed', 'linear', 'exponential', 'constant'], {
        description: 'How the delay grows from one retry to the next; `constant` is `fixed`.',
      }),
      initial_delay: delay('Time before the first retry; 0: at once.'),
      max_delay: delay('Time before a retry, at most.'),
      delay_ms: milliseconds('initial_delay'),
      max_delay_ms: milliseconds('max_delay'),
      retryable_on: Type.Array(
        Type.Union([
          Type.String(),
          Type.Integer({ minimum: 100, maximum: 599 }),
          Type.Object({ custom: Type.String({ description: 'An error class of your own tools.' }) }),
        ]),
        {
          description:
            'Error classes, HTTP statuses, and classes of your own tools that are retried. Default: all that are retryable.',
        },
      ),
    },
  });
}

function timeoutsSchema(): JsonSchema {
  const keys = ['node_timeout', 'workflow_timeout', 'approval_timeout'];
  return documentObject(Timeouts, {
    aliases: Object.fromEntries(keys.map((key) => [key, [`${key}_secs`]])),
    properties: {
      node_timeout: duration('Time for one attempt of work. Default: 300 seconds.'),
      workflow_timeout: duration('Time for the whole execution, pauses included. Default: no limit.'),
      approval_timeout: duration('Time for an approval that has no limit of its own. Default: no limit.'),
      heartbeat_interval: duration('Time between two heartbeats of an external worker. Default: 30 seconds.'),
    },
  });
}

function mcpServerSchema(): JsonSchema {
  return documentObject(McpServer, {
    properties: { args: Type.Array(Type.Unsafe({}), { description: 'Arguments of the command. Default: none.' }) },
  });
}

function oauthSchema(): JsonSchema {
  return documentObject(OAuth, {
    required: ['token_endpoint', 'client_id'],
    properties: {
      grant_type: Type.Literal(TOKEN_EXCHANGE, { description: 'The only one.' }),
      subject_token_source: Type.Literal('workflow_context', {
        description: 'The only one: `subject_token` of `POST /executions`.',
      }),
    },
  });
}

function workflowSchema(ref: Ref): JsonSchema {
  const anyObject = (description: string) => Type.Object({}, { description });
  const normal = Type.Object(
    {
      workflow_id: Type.String({ minLength: 1, description: 'Id of the workflow.' }),
      version: Type.Union([Type.String({ minLength: 1 }), Type.Number()], {
        description: 'Version; a number is read as a text.',
      }),
      name: Type.String({ description: 'Shown to people.' }),
      description: Type.String({ description: 'Shown to people.' }),
      state_schema: Type.Union(
        [anyObject('A JSON Schema.'), Type.String({ description: 'Its JSON text; a class name is ignored.' })],
        {
          description: 'JSON Schema of the state, which expressions are checked against.',
        },
      ),
      strict_input: Type.Boolean({
        description:
          'Whether the input of an execution must fit `state_schema`, with no other keys; otherwise it is not started (`invalid_input`). Default: false.',
      }),
      start_node: Type.String({
        description: 'Id of the first node. Default: the only node that nothing leads to, else the first one.',
      }),
      nodes: Type.Union(
        [
          Type.Record(Type.String(), ref('WorkflowNode'), { description: 'Nodes by id.', minProperties: 1 }),
          Type.Array(described(ref('WorkflowNode'), 'A node with an `id`.'), {
            description: 'A list of nodes with ids.',
            minItems: 1,
          }),
        ],
        { description: 'The nodes. Their order decides ties.' },
      ),
      edges: Type.Array(ref('WorkflowEdge'), { description: 'The edges, in the order in which they are tried. Default: none.' }),
      timeouts: described(ref('WorkflowTimeouts'), 'Time limits.'),
      retry_policies: Type.Record(Type.String(), ref('WorkflowRetryPolicy'), { description: 'Retry policies by name.' }),
      tools: Type.Record(Type.String(), ref('WorkflowTool'), { description: 'How tools are reached, by name.' }),
      models: anyObject(
        'Models by the name that nodes use: `{provider, model, temperature?, max_tokens?, timeout_secs?, retry_policy?}`.',
      ),
      mcp_servers: Type.Record(Type.String(), ref('WorkflowMcpServer'), { description: 'How MCP servers are reached, by name.' }),
      publish: Type.Unsafe({
        type: ['array', 'string', 'boolean'],
        description:
          'Where the workflow appears under its own name: a list of `mcp` (a tool) and `a2a` (a skill), or true for both. Default: nowhere.',
      }),
      remote_agents: Type.Record(Type.String(), ref('WorkflowRemoteAgent'), {
        description: 'How remote agents are reached, by name.',
      }),
      labels: Type.Record(Type.String(), Type.String(), { description: 'Names and values of your own; `jamjet.` is reserved.' }),
      strategy_metadata: anyObject(
        'Written by compilers of agents: `{strategy_name, strategy_config, limits, agent_id}`. `limits.max_cost_usd` is the default of `cost_budget_usd`.',
      ),
      policy: described(ref('WorkflowPolicy'), 'Holds for all nodes.'),
      data_policy: described(ref('WorkflowDataPolicy'), 'What is personal data, and how it is protected.'),
      token_budget: described(ref('WorkflowTokenBudget'), 'Tokens that an execution may use.'),
      cost_budget_usd: Type.Number({ minimum: 0, description: 'US dollars that an execution may cost. Default: no limit.' }),
      on_budget_exceeded: Type.String({
        minLength: 1,
        description:
          'What an exceeded budget does to the execution: `fail`, `pause`, or the id of a node at which it continues. Default: `fail`.',
      }),
      continue_as_new: Type.Union(
        [
          Type.Boolean({
            description: 'Whether it does so, from the start node and with a new budget, when it exceeds its budget.',
          }),
          Type.Object(
            {
              at: Type.String({ minLength: 1, description: 'The node whose visit ends the execution, and begins the next one.' }),
              after_steps: Type.Optional(
                Type.Integer({
                  minimum: 1,
                  maximum: MAX_STEPS,
                  description: 'Node completions of one execution. Default: no limit.',
                }),
              ),
              after_bytes: Type.Optional(
                Type.Integer({
                  minimum: MIN_LOG_BYTES,
                  description: 'Bytes of the log of one execution, without its start. Default: no limit.',
                }),
              ),
            },
            { description: 'When and where it does so whatever its budgets, which go on to count.' },
          ),
        ],
        { description: 'Whether another execution continues from the state of one that ends for it. Default: false.' },
      ),
      max_steps: Type.Integer({
        minimum: 1,
        maximum: MAX_STEPS,
        description: 'Node completions after which an execution fails. Default: what the runtime says, 10000.',
      }),
      oauth: described(ref('WorkflowOAuth'), 'Where nodes with `oauth_scopes` get their access tokens.'),
    },
    { description: 'A workflow document.' },
  );
  return documentObject(normal, { required: ['workflow_id', 'version', 'nodes'] });
}

/** Without the symbols that TypeBox keeps on its schemas. */
function plain(schema: JsonSchema): unknown {
  return JSON.parse(JSON.stringify(schema));
}
