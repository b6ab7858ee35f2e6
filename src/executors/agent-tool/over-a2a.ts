import type { Json } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { AgentTool } from '../../../machines/nodes/agent-tool.ts';
import type { Work } from '../../../machines/run.ts';
import { outputOf, outputOfTask, usageIn } from '../a2a/content.ts';
import { type Answer, Conversation, type OutgoingMessage } from '../a2a/conversation.ts';
import { messageIdOf } from '../a2a/message-id.ts';
import type { ReachedAgent, RemoteAgents } from '../a2a/remote-agents.ts';
import { type WorkContext, WorkError } from '../executor.ts';
import { type AgentCall, summary } from './call.ts';
import { firstTurn, type ToolResult, Turns } from './turns.ts';

export interface CallOverA2a {
  readonly kind: Pick<AgentTool, 'mode' | 'max_turns' | 'max_tokens_per_turn'>;
  readonly agents: RemoteAgents;
  readonly agent: ReachedAgent;
  readonly message: Json;
  readonly work: Work;
  readonly context: WorkContext;
  readonly call: AgentCall;
}

/** Calls an agent by A2A. A later attempt of the visit goes on with the task, and with the turn, of an earlier one. */
export async function callOverA2a(given: CallOverA2a): Promise<ToolResult> {
  const { kind, agents, agent, work, context, call } = given;
  const conversation = await Conversation.open({
    agent,
    outbound: agents.outbound,
    signal: context.signal,
    stream: kind.mode === 'streaming',
    isLastAttempt: work.attempt + 1 >= work.maxAttempts,
    onTask: async ({ id, contextId }) =>
      call.log('remote_task_started', { task_id: id, context_id: contextId, agent: agent.address.url }),
    onPart: async ({ text, metadata }) => {
      if (text !== '') await call.part(text);
      call.spend(usageIn(metadata));
    },
  });
  // The parts of a stream, and the turns of a conversation, report as they come.
  if (kind.mode === 'sync') call.unfinished = () => conversation.usage;
  const begun = work.progress.remote_task_started;
  const resumed = begun === undefined ? null : await conversation.resume(String(begun.task_id));
  // Messages to a task that is of no use any more are not repeated.
  const generation = begun === undefined || resumed !== null ? 0 : work.attempt;
  const messageId = (turn: number): string =>
    messageIdOf(`${context.idempotencyKey}${turn === firstTurn ? '' : `:${turn}`}`, generation);
  return kind.mode === 'conversational'
    ? converse(given, conversation, resumed, messageId)
    : single(given, conversation, resumed, messageId);
}

async function single(
  { agent, message, call }: CallOverA2a,
  conversation: Conversation,
  resumed: Answer | null,
  messageId: (turn: number) => string,
): Promise<ToolResult> {
  const first = { messageId: messageId(firstTurn), taskId: '', contextId: '', skill: '', input: message };
  const answer = resumed ?? (await conversation.send(first));
  // The parts of a stream have reported it already.
  if (call.usage === null) call.spend(usageOf(answer));
  if (answer.type !== 'input_required') return { output: outputOfAnswer(answer), turns: null };
  throw new WorkError(`agent "${agent.address.name}" asks for input, which needs mode conversational: ${summary(answer.text)}`, {
    retryable: false,
    errorClass: 'input_required',
  });
}

async function converse(
  { kind, message, work, call }: CallOverA2a,
  conversation: Conversation,
  resumed: Answer | null,
  messageId: (turn: number) => string,
): Promise<ToolResult> {
  const turns = new Turns(kind, message, call, resumed === null ? undefined : work.progress.agent_tool_turn);
  let answer = resumed;
  let thread = { taskId: '', contextId: '' };
  const asked = async (turn: OutgoingMessage): Promise<Answer> => {
    try {
      return await conversation.send(turn);
    } catch (error) {
      if (error instanceof WorkError && error.usage !== null) call.spend(error.usage);
      throw error;
    }
  };
  for (;;) {
    answer ??= await asked({ ...thread, messageId: messageId(turns.number), skill: '', input: await turns.next() });
    const output = outputOfAnswer(answer);
    const isLast = await turns.answered(output, usageOf(answer), answer.type === 'completed');
    if (isLast) {
      // The agent waits for an answer that does not come.
      if (answer.type === 'input_required') await conversation.cancel(answer.task.id).catch(() => {});
      return { output, turns: turns.number };
    }
    thread = {
      taskId: answer.type === 'input_required' ? answer.task.id : '',
      contextId: answer.type === 'message' ? answer.message.contextId : answer.task.contextId,
    };
    turns.advance(output);
    answer = null;
  }
}

function outputOfAnswer(answer: Answer): Json {
  if (answer.type === 'message') return outputOf(answer.message.parts);
  return answer.type === 'completed' ? outputOfTask(answer.task) : answer.text;
}

function usageOf(answer: Answer): Usage {
  return usageIn(answer.type === 'message' ? answer.message.metadata : answer.task.metadata);
}
