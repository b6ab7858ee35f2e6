import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { type AgentCall, isRejected, repairsSoFar } from '../../../machines/nodes/agent-calls.ts';
import type { ModelAgent } from '../../../machines/nodes/model-agent.ts';
import { DEFAULT_MAX_REPAIRS } from '../../../machines/nodes/shared-fields.ts';
import type { Work } from '../../../machines/run.ts';
import { type Executor, WorkError, type WorkResult } from '../executor.ts';
import { invalid, typeOf } from '../http-content.ts';
import { type Answer, outputOf } from '../model/answer.ts';
import { askModel, type Models, sentUsage } from '../model/ask.ts';
import { rejectPromptFiles } from '../model/index.ts';
import { type CheckOutput, outputCheck } from '../output-schema.ts';
import { answerMessage, beginTurn } from '../threads/turn.ts';
import { toJson } from '../to-json.ts';
import { checkCalls } from './check-calls.ts';
import {
  type Conversation,
  conversationIn,
  isHandoffOf,
  lastOf,
  ledElsewhere,
  nameOf,
  notCalled,
  resultsOf,
} from './conversation.ts';
import { type ToolDescriptions, toolSchemas } from './tools.ts';

/**
 * Executor of `agent` nodes: one turn. It adds the results of the calls that were carried out, and asks the model, unless calls of its last answer are
 * still waiting. The patch holds the conversation; its `calls` say which tools the workflow calls next, and without any, the output is the answer.
 */
export function agentExecutor(kind: ModelAgent, models: Models, descriptions: ToolDescriptions): Executor {
  const schema = kind.output_schema === undefined ? null : outputCheck(kind.output_schema);
  const execute: Executor = async (work, context, onText) => {
    const inThread = kind.thread !== undefined || context.thread !== undefined;
    const conversation = continued(kind, context.nodeId, work.input, inThread);
    const { messages: asked, requested, waiting, turns, tool_calls: before } = conversation;
    if (waiting > 0) return { output: '', patch: callsPatch(kind, { messages: asked }, requested.slice(-waiting), before) };
    // Before the call, which is paid for.
    const check = (await schema?.()) ?? null;
    const isLast = turns + 1 >= kind.max_turns;
    const tools = await toolSchemas(kind, descriptions, context);
    const turn = await beginTurn(kind, work.input, context, models, [...instructionsIn(work.input), ...asked]);
    return askModel(
      { ...kind, tools },
      models,
      turn.messages,
      { context, onText, mayCallTools: !isLast },
      async (answer, usage) => {
        const answered = { ...conversation, turns: turns + 1 };
        if (answer.calls.length === 0) {
          const result = await answerOf(kind, context.nodeId, answered, answer, check);
          return { ...result, usage, ...turn.appended(answerMessage(answer.text)) };
        }
        if (isLast)
          throw new WorkError('the model asked for tools when it had to answer', {
            retryable: true,
            errorClass: 'invalid_answer',
          });
        const calls = await checkCalls(answer.calls, {
          tools,
          repairs: repairsSoFar(requested),
          maxRepairs: kind.max_repairs ?? DEFAULT_MAX_REPAIRS,
          log: context.log,
        });
        // A handoff ends the work of this agent.
        const handoff = calls.find((call) => isHandoffOf(kind, call));
        const begun = handoff === undefined ? calls : [handoff];
        const left = calls.filter((call) => !begun.includes(call)).map((call) => notCalled(call, nameOf(begun[0] ?? call)));
        const ofThread = turn.thread === undefined ? {} : { thread: turn.thread };
        const next = { ...answered, ...ofThread, requested: begun, messages: [...asked, requestOf(answer.text, calls), ...left] };
        return { output: toJson(answer.text, 'answer'), patch: callsPatch(kind, next, begun, before), usage };
      },
    );
  };
  const lost = ({ input }: Work, nodeId: string): Usage | null => {
    const { messages, waiting } = continued(kind, nodeId, input, kind.thread !== undefined);
    return waiting > 0 ? null : sentUsage(kind, models.settings, [...instructionsIn(input), ...messages]);
  };
  return Object.assign(execute, { lost });
}

/** The conversation with the results of the calls that were carried out, or with a new task. */
function continued(kind: ModelAgent, nodeId: string, given: Json, inThread: boolean): Conversation {
  rejectPromptFiles(kind.prompt, kind.system_prompt);
  const input = isObject(given) ? given : {};
  const before = conversationIn(input);
  const messages = [...before.messages, ...resultsOf(kind, nodeId, before.calls, input.results ?? null)];
  if (before.calls.length > 0 && !ledElsewhere(kind, nodeId, before.calls)) return { ...before, messages };
  // What was said for earlier tasks stands in the thread; what another agent hands over does not yet.
  const earlier = before.calls.length > 0 ? messages : inThread ? [] : lastOf(messages, kind.max_messages);
  return { messages: [...earlier, ...taskOf(input)], requested: [], calls: [], waiting: 0, turns: 0, tool_calls: 0 };
}

function instructionsIn(input: Json): readonly Json[] {
  const content = textOf((isObject(input) ? input.system_prompt : null) ?? '');
  return content === '' ? [] : [{ role: 'system', content }];
}

/** The messages with which a task begins. */
function taskOf({ prompt, history }: JsonObject): readonly Json[] {
  if (prompt !== undefined) return [{ role: 'user', content: textOf(prompt) }];
  if (Array.isArray(history) && history.length > 0) return history as readonly Json[];
  const given = Array.isArray(history) ? 'empty' : typeOf(history);
  throw invalid(`without a prompt and an input, state.messages must be a list of messages, not ${given}`);
}

/**
 * The patch with which calls begin: as many as may be carried out at the same time. `left`: those of the answer that have not begun. What `change` does not
 * have stays as it is, so that the log has the answer once, however many calls it asks for.
 */
function callsPatch(
  kind: ModelAgent,
  change: Partial<Conversation>,
  left: readonly AgentCall[],
  callsBefore: number,
): JsonObject {
  const calls = left.slice(0, kind.parallel_tool_calls);
  const next: Partial<Conversation> = {
    ...change,
    calls,
    waiting: left.length - calls.length,
    tool_calls: callsBefore + calls.length,
  };
  return { [kind.conversation_key]: next as unknown as Json };
}

async function answerOf(
  kind: ModelAgent,
  nodeId: string,
  conversation: Conversation,
  answer: Answer,
  check: CheckOutput | null,
): Promise<WorkResult> {
  const output = toJson(await outputOf(answer, check), 'answer');
  const messages = [...conversation.messages, { role: 'assistant', content: toJson(answer.text, 'answer') }];
  const ended: Conversation = { ...conversation, messages, requested: [], calls: [], waiting: 0 };
  const answered = kind.discard_output === true ? {} : { [kind.output_key ?? nodeId]: output };
  return { output, patch: { ...answered, [kind.conversation_key]: ended as unknown as Json } };
}

/** The answer that asks for tools, as the next turn shows it to the model. */
function requestOf(text: string, calls: readonly AgentCall[]): JsonObject {
  return {
    role: 'assistant',
    content: toJson(text, 'answer'),
    tool_calls: calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: nameOf(call), arguments: JSON.stringify(argumentsOf(call)) },
    })),
  };
}

/** Providers refuse a request whose calls have other arguments than an object. */
function argumentsOf(call: AgentCall): Json {
  if (!isRejected(call)) return call.arguments;
  return isObject(call.rejected.arguments) ? call.rejected.arguments : {};
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
