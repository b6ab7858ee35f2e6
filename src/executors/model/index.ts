import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { type Model, modelPatch } from '../../../machines/nodes/model.ts';
import { isPromptFile } from '../../../machines/nodes/model-names.ts';
import type { Work } from '../../../machines/run.ts';
import type { Executor, WorkResult } from '../executor.ts';
import { invalid, typeOf } from '../http-content.ts';
import { type CheckOutput, outputCheck } from '../output-schema.ts';
import { answerMessage, beginTurn } from '../threads/turn.ts';
import { toJson } from '../to-json.ts';
import { type Answer, outputOf, readableCalls } from './answer.ts';
import { askModel, type Models, nameIn, sentUsage } from './ask.ts';

/**
 * Executor of `model` nodes: sends the rendered prompt, or the messages of the state, to the model's provider. The output is the answer,
 * parsed if it is JSON. The patch holds it under `output_key`, and the three `last_model_…` keys.
 */
export function modelExecutor(kind: Model, models: Models): Executor {
  const schema = kind.output_schema === undefined ? null : outputCheck(kind.output_schema);
  const execute: Executor = async (work, context, onText) => {
    const messages = messagesOf(kind, work.input);
    // Before the call, which is paid for.
    const check = (await schema?.()) ?? null;
    const turn = await beginTurn(kind, work.input, context, models, messages);
    return askModel(kind, models, turn.messages, { context, onText, mayCallTools: true }, async (answer, usage) => ({
      ...(await resultOf(kind, answer, check, usage)),
      // What comes of the tools belongs to the turn, too.
      ...(answer.calls.length > 0 ? {} : turn.appended(answerMessage(answer.text))),
    }));
  };
  return Object.assign(execute, { lost: ({ input }: Work) => sentUsage(kind, models.settings, messagesOf(kind, input)) });
}

function messagesOf(kind: Model, input: Json): readonly Json[] {
  rejectPromptFiles(kind.prompt_ref, kind.system_prompt);
  const { prompt_ref: prompt = null, messages, system_prompt: instructions = null } = isObject(input) ? input : {};
  const system = instructions === null || instructions === '' ? [] : [{ role: 'system', content: asText(instructions) }];
  if (kind.prompt_ref !== '') return [...system, { role: 'user', content: asText(prompt) }];
  if (Array.isArray(messages) && messages.length > 0)
    return [...withoutRepeated(system, messages[0] ?? null), ...(messages as readonly Json[])];
  const given = Array.isArray(messages) ? 'empty' : typeOf(messages);
  throw invalid(`without a prompt, state.messages must be a list of messages, not ${given}`);
}

/** Commands put the texts of prompt files into a document: one that still names a file has come another way. */
export function rejectPromptFiles(...prompts: readonly (string | undefined)[]): void {
  const file = prompts.find((prompt) => prompt !== undefined && isPromptFile(prompt));
  if (file === undefined) return;
  throw invalid(
    `the prompt "${file}" names a file; \`jamjet run\`, \`deploy\` and \`validate -o FILE\` put its text into the document`,
  );
}

/** Agents of the Python SDK have their instructions as the first message, too. */
function withoutRepeated(system: readonly JsonObject[], first: Json): readonly JsonObject[] {
  return isObject(first) && first.role === 'system' && first.content === system[0]?.content ? [] : system;
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function resultOf(kind: Model, answer: Answer, check: CheckOutput | null, usage: Usage): Promise<WorkResult> {
  const asksForTools = answer.calls.length > 0;
  const text = toJson(answer.text, 'answer');
  const output = asksForTools ? text : toJson(await outputOf(answer, check), 'answer');
  const calls = toJson(readableCalls(answer), 'tool_calls') as readonly Json[];
  const patch = modelPatch(kind, { output, text: String(text), finishReason: nameIn(answer.finishReason), calls });
  return { output, patch, usage };
}
