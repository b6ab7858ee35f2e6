import { createHash } from 'node:crypto';
import { isObject, type Json } from '../../machines/json.ts';
import type { AgentTool } from '../../machines/nodes/agent-tool.ts';
import type { Work } from '../../machines/run.ts';
import { shortened } from '../../machines/shortened.ts';
import { cancelTask } from './a2a/cancel-task.ts';
import type { AgentAccess } from './a2a/remote-agents.ts';
import { AgentCall } from './agent-tool/call.ts';
import { callOverA2a } from './agent-tool/over-a2a.ts';
import { callOverHttp, cancelOverHttp } from './agent-tool/over-http.ts';
import type { ToolResult } from './agent-tool/turns.ts';
import { type Abandoned, type Executor, type LogProgress, type WorkContext, WorkError } from './executor.ts';
import { invalid, typeOf } from './http-content.ts';

/** Longest output, as JSON text, that `agent_tool_completed` repeats. */
const MAX_LOGGED_OUTPUT = 8_192;

type Tool = Pick<AgentTool, 'mode' | 'max_turns' | 'max_tokens_per_turn' | 'timeout_ms' | 'budget'>;

/**
 * Executor of `agent_tool` nodes: calls the agent by A2A, or by `tasks/send` if it has no card. The log says how: `agent_tool_invoked`, parts
 * and turns, and `agent_tool_completed`, `agent_tool_terminated` or `agent_tool_failed`.
 */
export function agentToolExecutor(kind: Tool, access: AgentAccess): Executor {
  const execute = async (
    work: Work,
    given: WorkContext,
    onText: (text: string) => void = () => {},
    log: LogProgress = async () => {},
  ) => {
    const { agent: reference, message } = callOf(work.input);
    const context = { ...given, signal: limited(given.signal, kind.timeout_ms) };
    const { tenantId, signal, accessToken } = context;
    const { agents } = access;
    const address = await agents.locate(reference, { ...access, tenantId, accessToken }, signal);
    const agent = await agents.reach(address, signal);
    const startedAtMs = performance.now();
    const call = new AgentCall(kind.budget, log, onText);
    given.meter?.(() => call.used);
    await call.log('agent_tool_invoked', {
      agent_uri: address.url,
      mode: kind.mode,
      protocol: agent.card === null ? 'http' : 'a2a',
      input_hash: createHash('sha256').update(JSON.stringify(message)).digest('hex'),
    });
    try {
      const { outbound } = agents;
      const { output, turns } =
        agent.card === null
          ? await callOverHttp({
              kind,
              outbound,
              address,
              message,
              context,
              call,
              isLastAttempt: work.attempt + 1 >= work.maxAttempts,
            })
          : await callOverA2a({ kind, agents, agent, message, work, context, call });
      await logCompletion(call, { output, turns }, performance.now() - startedAtMs);
      return { output, ...(call.usage === null ? {} : { usage: call.usage }) };
    } catch (error) {
      const failure = error instanceof WorkError && call.usage !== null ? error.withUsage(call.usage) : error;
      // An attempt that is over logs nothing more.
      if (!given.signal.aborted && failure instanceof WorkError) await logFailure(call, failure);
      throw failure;
    }
  };
  return Object.assign(execute, { release: (abandoned: Abandoned) => release(abandoned, access) });
}

async function release(abandoned: Abandoned, access: AgentAccess): Promise<void> {
  const { progress, tenantId, signal } = abandoned;
  const begun = progress.remote_task_started;
  if (progress.agent_tool_invoked?.protocol !== 'http' || begun === undefined) return cancelTask(abandoned, access);
  const { agents } = access;
  const address = await agents.locate(String(begun.agent), { ...access, tenantId }, signal);
  await cancelOverHttp({ outbound: agents.outbound, address, signal }, String(begun.task_id));
}

function callOf(input: Json): { readonly agent: string; readonly message: Json } {
  const { agent = null, input_mapping: message = null } = isObject(input) ? input : {};
  // A coordinator may have stored the agent that it has chosen, or its address alone.
  const named = isObject(agent) ? (agent.uri ?? agent.selected_uri ?? agent.id ?? null) : agent;
  if (named === null) throw invalid('no agent is named: the value of "agent" is null');
  if (typeof named !== 'string' || named === '') throw invalid(`agent must be text, not ${typeOf(named)}`);
  return { agent: named, message };
}

/** The signal, and the time limit of the call. */
function limited(signal: AbortSignal, timeoutMs: number | undefined): AbortSignal {
  return timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

async function logCompletion(call: AgentCall, { output, turns }: ToolResult, latencyMs: number): Promise<void> {
  await call.log('agent_tool_completed', {
    output: JSON.stringify(output).length > MAX_LOGGED_OUTPUT ? null : output,
    total_cost: call.costUsd,
    latency_ms: Math.round(latencyMs),
    ...(turns === null ? {} : { total_turns: turns }),
  });
}

async function logFailure(call: AgentCall, { message, retryable, errorClass }: WorkError): Promise<void> {
  if (errorClass === 'budget_exceeded') {
    const partial = call.text;
    await call.log('agent_tool_terminated', {
      reason: 'budget_exceeded',
      chunks_received: call.chunks,
      partial_output: partial === '' || partial.length > MAX_LOGGED_OUTPUT ? null : partial,
      cost: call.costUsd,
    });
    return;
  }
  await call.log('agent_tool_failed', { failure_type: errorClass ?? 'error', message: shortened(message, 1_000), retryable });
}
