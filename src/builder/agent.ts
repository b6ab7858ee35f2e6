import type { JsonObject } from '../../machines/json.ts';
import { define } from './define.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { Duration } from './node-keys.ts';
import type { AnySchema, InferInput, Schema } from './schema.ts';
import type { Policies, RetryPolicies, ScheduleSettings, WorkflowSettings } from './settings.ts';
import { mapValues, toFileKeys } from './spelling.ts';
import type { WorkflowTest } from './tests.ts';
import { testsFile } from './tests-file.ts';
import { stateFile } from './workflow-file.ts';

/** An agent with a goal. Its strategy is compiled to a workflow of model nodes. */
export type AgentOptions<S> = WorkflowSettings<RetryPolicies, Policies> &
  AgentStrategy & {
    readonly id: string;
    readonly version?: string;
    readonly name?: string;
    /** Default: the goal. */
    readonly description?: string;
    /** May hold templates. */
    readonly goal: string;
    readonly model: string;
    readonly limits: { readonly maxIterations: number; readonly maxCostUsd: number; readonly timeoutSeconds: Duration };
    /** Schema of the state: what it requires is the input. */
    readonly state?: S;
    readonly schedule?: ScheduleSettings<NoInfer<InferInput<S>>>;
    /** Tests that `jamjet test` runs. They name the nodes of the strategy: `__draft__`. */
    readonly tests?: readonly WorkflowTest<Partial<NoInfer<InferInput<S>>>, string>[];
  };

/** How an agent comes to its answer. */
export type AgentStrategy =
  | { readonly strategy: 'react'; readonly strategyConfig?: Record<never, never> }
  | { readonly strategy: 'plan-and-execute'; readonly strategyConfig?: { readonly verifierModel?: string } }
  | { readonly strategy: 'critic'; readonly strategyConfig?: RevisionLimits & { readonly criticModel?: string } }
  | { readonly strategy: 'reflection'; readonly strategyConfig?: RevisionLimits }
  | { readonly strategy: 'consensus'; readonly strategyConfig?: { readonly numAgents?: number; readonly judgeModel?: string } }
  | { readonly strategy: 'debate'; readonly strategyConfig?: { readonly maxRounds?: number; readonly judgeModel?: string } };

/** When an answer is good enough, and how often it is written anew. */
export interface RevisionLimits {
  /** From 0 to 1. */
  readonly passThreshold?: number;
  readonly maxRounds?: number;
}

/**
 * Defines an agent that works towards a goal with a strategy, as `agent:` of a workflow file does. The answer is in the state under `result`.
 *
 * @example
 * export const copy = agent({
 *   id: 'product-copy',
 *   strategy: 'critic',
 *   goal: 'Write about {{ state.product }}',
 *   model: 'gpt-4o-mini',
 *   limits: { maxIterations: 4, maxCostUsd: 0.5, timeoutSeconds: 120 },
 *   state: Type.Object({ product: Type.String() }),
 * });
 */
export function agent<const S extends Schema = AnySchema>(
  definition: AgentOptions<S>,
): WorkflowDefinition<{
  input: InferInput<S>;
  state: InferInput<S> & { readonly result?: unknown };
  completed: InferInput<S> & { readonly result?: unknown };
  events: Record<never, never>;
  nodeId: string;
}> {
  return define(agent, () => agentFile(definition), { ...definition, nodes: {} });
}

function agentFile({ state, mcpServers, remoteAgents, schedule, tests, ...rest }: AgentOptions<unknown>): JsonObject {
  const keys = toFileKeys(rest) as JsonObject;
  const servers = {
    ...(mcpServers && { mcp: { servers: mapValues(mcpServers, toFileKeys) } }),
    ...(remoteAgents && { a2a: { remote_agents: mapValues(remoteAgents, toFileKeys) } }),
  };
  return {
    agent: { ...keys, ...stateFile(state) },
    ...servers,
    ...(schedule && { schedule: toFileKeys(schedule) }),
    ...(tests && { tests: testsFile(tests) }),
  };
}
