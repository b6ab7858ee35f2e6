import type { Json } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { Model } from '../../../machines/nodes/model.ts';
import { declaredNameOf, modelNameOf, namesOfModel } from '../../../machines/nodes/model-names.ts';
import { DEFAULT_CALLS_PER_ANSWER } from '../../../machines/nodes/shared-fields.ts';
import { isAllowedModel } from '../../../machines/policy.ts';
import { toStorableText } from '../../../machines/unicode.ts';
import { type WorkContext, WorkError } from '../executor.ts';
import type { Answer } from './answer.ts';
import { tooManyCalls } from './call-limit.ts';
import { costOf } from './prices.ts';
import { resolveModel } from './resolve.ts';
import type { ModelSettings } from './settings.ts';
import { unfinishedUsage } from './unfinished-usage.ts';

/** Longest name that a provider gives to a model, a response or a reason. */
const MAX_NAME = 200;

/** What `model` nodes of this process may use. */
export interface Models {
  readonly settings: ModelSettings;
  /** Globs of the models that a tenant may use; empty = all. */
  readonly allowlistOf: (tenantId: string) => Promise<readonly string[]>;
}

/** The model that is asked, and with what, as a `model` node has it. */
export type AskedModel = Pick<
  Model,
  'model_ref' | 'declared' | 'temperature' | 'max_tokens' | 'output_schema' | 'max_calls_per_answer'
> &
  Partial<Pick<Model, 'tools'>>;

/** How a model is asked. */
export interface Asking {
  readonly context: Pick<WorkContext, 'tenantId' | 'signal' | 'meter'>;
  readonly onText: ((text: string) => void) | undefined;
  /** False = it has to answer, and may not ask for tools any more. */
  readonly mayCallTools: boolean;
}

/**
 * Asks a model, if the tenant may use it, and resolves with what `read` makes of its answer. Throws `WorkError`; that of an answer which
 * `read` refuses has its usage, because the answer is paid for all the same.
 */
export async function askModel<T>(
  model: AskedModel,
  { settings, allowlistOf }: Models,
  messages: readonly Json[],
  asking: Asking,
  read: (answer: Answer, usage: Usage) => T | Promise<T>,
): Promise<T> {
  const name = declaredNameOf(model.model_ref, model.declared);
  const allowlist = await allowlistOf(asking.context.tenantId);
  if (allowlist.length > 0 && !isAllowedModel(allowlist, namesOfModel(name))) {
    throw new WorkError(`the policy of the tenant does not allow the model "${name}"`, {
      retryable: false,
      errorClass: 'blocked_model',
    });
  }
  const { max_calls_per_answer: maxCalls = DEFAULT_CALLS_PER_ANSWER } = model;
  const { context, onText } = asking;
  let written = 0;
  const shown = (text: string): void => {
    written += text.length;
    onText?.(text);
  };
  const metered = { ...asking, onText: onText && shown };
  const stopMetering = context.meter?.(() => sentUsage(model, settings, messages, written));
  const { system, answer } = await ask(model, name, messages, settings, metered, maxCalls).finally(() => {
    if (!context.signal.aborted) stopMetering?.();
  });
  const usage = usageOf(system, answer, settings);
  try {
    if (answer.calls.length > maxCalls) throw tooManyCalls(maxCalls);
    return await read(answer, usage);
  } catch (error) {
    throw error instanceof WorkError ? error.withUsage(usage) : error;
  }
}

/** What a call has used that has no answer, as an estimate. `written`: characters that have come. */
export function sentUsage(model: AskedModel, settings: ModelSettings, messages: readonly Json[], written = 0): Usage {
  const name = declaredNameOf(model.model_ref, model.declared);
  const models = [settings.names?.[name]?.model, modelNameOf(name)?.model, name].filter((each) => each !== undefined);
  return unfinishedUsage({ models, request: { messages, tools: model.tools ?? [] }, written }, settings);
}

interface Asked {
  /** The provider, as events name it. */
  readonly system: string;
  readonly answer: Answer;
}

async function ask(
  { tools = [], temperature, max_tokens, output_schema }: AskedModel,
  name: string,
  messages: readonly Json[],
  settings: ModelSettings,
  { context: { signal }, onText, mayCallTools }: Asking,
  maxCalls: number,
): Promise<Asked> {
  // What only a call needs is loaded by the first one.
  const { modelFailure } = await import('./failure.ts');
  const { sidecarUrl, script, names = {} } = settings;
  if (script !== undefined) {
    const { scriptedAnswer } = await import('./script.ts');
    try {
      return { system: 'scripted', answer: await scriptedAnswer(script, name, messages, mayCallTools, onText, signal) };
    } catch (error) {
      throw error instanceof WorkError ? error : modelFailure(error, signal, []);
    }
  }
  if (sidecarUrl !== undefined && !Object.hasOwn(names, name)) {
    const { callSidecar } = await import('./sidecar.ts');
    const request = {
      model: name,
      messages,
      ...(temperature === undefined ? {} : { temperature }),
      ...(max_tokens === undefined ? {} : { max_tokens }),
      ...(tools.length === 0 || !mayCallTools ? {} : { tools }),
    };
    try {
      const answer = await callSidecar(sidecarUrl, request, signal);
      return { system: modelNameOf(name)?.provider ?? 'sidecar', answer };
    } catch (error) {
      throw modelFailure(error, signal, []);
    }
  }
  const named = resolveModel(name, settings);
  const { callProvider } = await import('./provider-call.ts');
  const { promptOf, toolsOf } = await import('./messages.ts');
  const usedTemperature = temperature ?? named.temperature;
  const maxOutputTokens = max_tokens ?? named.maxTokens;
  const options = {
    prompt: promptOf(messages),
    abortSignal: signal,
    ...(usedTemperature === undefined ? {} : { temperature: usedTemperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(tools.length === 0
      ? {}
      : { tools: toolsOf(tools), toolChoice: { type: mayCallTools ? ('auto' as const) : ('none' as const) } }),
    ...(output_schema === undefined ? {} : { responseFormat: { type: 'json' as const, schema: output_schema, name: 'answer' } }),
  };
  try {
    return {
      system: named.provider === 'openai-responses' ? 'openai' : named.provider,
      answer: await callProvider(named, options, onText, maxCalls),
    };
  } catch (error) {
    throw modelFailure(error, signal, named.apiKey === undefined ? [] : [named.apiKey]);
  }
}

function usageOf(system: string, answer: Answer, { prices }: ModelSettings): Usage {
  const { model, finishReason, responseId, costUsd } = answer;
  const inputTokens = countIn(answer.inputTokens);
  const outputTokens = countIn(answer.outputTokens);
  const cachedInputTokens = countIn(answer.cachedInputTokens) ?? 0;
  const isCounted = inputTokens !== undefined && outputTokens !== undefined;
  const computed = isCounted
    ? costOf(model, { input: inputTokens, output: outputTokens, cachedInput: cachedInputTokens }, prices)
    : null;
  const cost = costUsd !== null && Number.isFinite(costUsd) ? costUsd : computed;
  return {
    gen_ai_system: system,
    gen_ai_model: nameIn(model),
    ...(inputTokens === undefined ? {} : { input_tokens: inputTokens }),
    ...(outputTokens === undefined ? {} : { output_tokens: outputTokens }),
    finish_reason: nameIn(finishReason),
    ...(cost === null ? {} : { cost_usd: cost }),
    ...(responseId === undefined ? {} : { gen_ai_response_id: nameIn(responseId) }),
  };
}

/** Budgets count with it: anything but a count is as if the provider had not said it. */
function countIn(given: number | undefined): number | undefined {
  return given !== undefined && Number.isSafeInteger(given) && given >= 0 ? given : undefined;
}

/** A name as it is stored with the event. */
export function nameIn(given: string): string {
  return toStorableText(given.slice(0, MAX_NAME));
}
