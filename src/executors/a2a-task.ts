import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { A2aTask } from '../../machines/nodes/a2a-task.ts';
import type { Work } from '../../machines/run.ts';
import { shortened } from '../../machines/shortened.ts';
import { cancelTask } from './a2a/cancel-task.ts';
import { outputOf, outputOfTask, reportedUsage } from './a2a/content.ts';
import { type Answer, Conversation } from './a2a/conversation.ts';
import { messageIdOf } from './a2a/message-id.ts';
import type { AgentAccess } from './a2a/remote-agents.ts';
import { type Abandoned, type Executor, type LogProgress, type WorkContext, WorkError, type WorkResult } from './executor.ts';
import { invalid, typeOf } from './http-content.ts';
import { type CheckOutput, outputCheck } from './output-schema.ts';

type RemoteTask = Pick<A2aTask, 'skill' | 'stream' | 'output_schema' | 'on_input_required' | 'output_key'>;

/**
 * Executor of `a2a_task` and `agent` nodes: gives the agent a task and waits for its end. A later attempt of the visit goes on with the task that an
 * earlier one has begun. The output is the content of the artifacts.
 */
export function a2aTaskExecutor(kind: RemoteTask, access: AgentAccess): Executor {
  const schema = kind.output_schema === undefined ? null : outputCheck(kind.output_schema);
  const execute = async (work: Work, context: WorkContext, onText?: (text: string) => void, log?: LogProgress) => {
    const { agent: reference, message, taskId, contextId } = assignmentOf(work.input);
    const check = await schema?.();
    const { tenantId, signal, accessToken } = context;
    const { agents } = access;
    const address = await agents.locate(reference, { ...access, tenantId, accessToken }, signal);
    const agent = await agents.reach(address, signal);
    const conversation = await Conversation.open({
      agent,
      outbound: agents.outbound,
      signal,
      stream: kind.stream,
      isLastAttempt: work.attempt + 1 >= work.maxAttempts,
      onTask: async ({ id, contextId: context_id }) =>
        log?.('remote_task_started', { task_id: id, context_id, agent: address.url }),
      ...(onText === undefined ? {} : { onText }),
    });
    context.meter?.(() => conversation.usage);
    const begun = work.progress.remote_task_started;
    const resumed = begun === undefined ? null : await conversation.resume(String(begun.task_id));
    const messageId = messageIdOf(context.idempotencyKey, begun === undefined ? 0 : work.attempt);
    const answer = resumed ?? (await conversation.send({ messageId, taskId, contextId, skill: kind.skill, input: message }));
    return withoutQuestion(work.state, kind.output_key ?? context.nodeId, await resultOf(address.name, kind, answer, check));
  };
  return Object.assign(execute, { release: (abandoned: Abandoned) => cancelTask(abandoned, access) });
}

interface Assignment {
  readonly agent: string;
  readonly message: Json;
  readonly taskId: string;
  readonly contextId: string;
}

function assignmentOf(input: Json): Assignment {
  const given = isObject(input) ? input : {};
  const { input_mapping: message = null, task_id = null, context_id = null } = given;
  const agent = given.remote_agent ?? given.agent_ref ?? null;
  if (typeof agent !== 'string' || agent === '') throw invalid(`the name of the agent must be text, not ${typeOf(agent)}`);
  return { agent, message, taskId: idIn('task_id', task_id), contextId: idIn('context_id', context_id) };
}

function idIn(key: string, value: Json): string {
  if (value === null) return '';
  if (typeof value !== 'string' || value.length > 1_000)
    throw invalid(`${key} must be a short text or null, not ${typeOf(value)}`);
  return value;
}

/** The fields of a question that an earlier visit has left in the state do not stay beside the result. */
function withoutQuestion(state: JsonObject, key: string, result: WorkResult): WorkResult {
  const before = Object.hasOwn(state, key) ? (state[key] ?? null) : null;
  const { output, route } = result;
  if (route !== undefined || !isObject(output) || !isObject(before) || before.status !== 'input-required') return result;
  return { ...result, patch: { [key]: { status: null, message: null, task_id: null, context_id: null, ...output } } };
}

async function resultOf(agent: string, kind: RemoteTask, answer: Answer, check: CheckOutput | undefined): Promise<WorkResult> {
  const usage = reportedUsage(answer.type === 'message' ? answer.message.metadata : answer.task.metadata);
  const used = usage === null ? {} : { usage };
  if (answer.type === 'input_required') {
    const { task, text } = answer;
    if (kind.on_input_required === undefined)
      throw new WorkError(`agent "${agent}" asks for input, and the node names no on_input_required: ${shortened(text, 1_500)}`, {
        retryable: false,
        errorClass: 'input_required',
        ...used,
      });
    // What the task has used so far is part of what it says at its end.
    return {
      output: { status: 'input-required', message: text, task_id: task.id, context_id: task.contextId },
      route: 'on_input_required',
    };
  }
  const output = answer.type === 'message' ? outputOf(answer.message.parts) : outputOfTask(answer.task);
  const problem = (await check?.(output)) ?? null;
  if (problem !== null)
    throw new WorkError(`the output of agent "${agent}" does not fit output_schema: ${problem}`, {
      retryable: false,
      errorClass: 'validation',
      ...used,
    });
  return { output, ...used };
}
