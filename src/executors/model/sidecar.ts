import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { type Answer, badAnswer, type GivenCall, parsedArguments } from './answer.ts';
import { retryAfterOf } from './failure.ts';
import { guardedFetch } from './guarded-fetch.ts';

/** How long a sidecar that is over its limit and does not say more is left alone. */
const DEFAULT_RETRY_SECS = 60;
const MAX_RETRY_SECS = 3_600;
const HEALTH_TIMEOUT_MS = 5_000;

export interface SidecarRequest {
  readonly model: string;
  readonly messages: readonly Json[];
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly tools?: readonly JsonObject[];
}

/** Asks the model sidecar (`POST /v1/complete`). */
export async function callSidecar(baseUrl: string, request: SidecarRequest, signal: AbortSignal): Promise<Answer> {
  const response = await guardedFetch()(`${baseUrl.replace(/\/+$/, '')}/v1/complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  const text = await response.text();
  const body = objectIn(text);
  if (!response.ok) throw refusal(response, body, text);
  if (body === null) throw badAnswer('the model sidecar answered with something other than a JSON object');
  return answerOf(body, request.model);
}

/** Null = the sidecar is ready; else why not. */
export async function sidecarProblem(baseUrl: string): Promise<string | null> {
  try {
    const url = `${baseUrl.replace(/\/+$/, '')}/health`;
    const response = await guardedFetch()(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    const isReady = response.ok && objectIn(await response.text())?.ok === true;
    return isReady ? null : `GET /health answered ${response.status}, and not {"ok": true}`;
  } catch (error) {
    return asWorkError(error).message;
  }
}

function refusal(response: Response, body: JsonObject | null, text: string): WorkError {
  const { status } = response;
  const said = typeof body?.error === 'string' ? body.error : text;
  const message = `the model sidecar answered ${status}: ${shortened(said.replace(/\s+/g, ' '), 300)}`;
  if (status === 429) {
    const seconds = typeof body?.retry_after === 'number' && body.retry_after >= 0 ? body.retry_after : null;
    const retryAfterMs =
      seconds === null
        ? (retryAfterOf(Object.fromEntries(response.headers), '', Date.now()) ?? DEFAULT_RETRY_SECS * 1000)
        : Math.ceil(Math.min(seconds, MAX_RETRY_SECS) * 1000);
    return new WorkError(message, { retryable: true, errorClass: 'rate_limit', httpStatus: status, retryAfterMs });
  }
  const retryable = status >= 500;
  return new WorkError(message, { retryable, errorClass: retryable ? 'server_error' : 'client_error', httpStatus: status });
}

function answerOf(body: JsonObject, asked: string): Answer {
  const message = isObject(body.message) ? body.message : {};
  const calls = (Array.isArray(body.tool_calls) ? (body.tool_calls as readonly Json[]) : []).map(callOf);
  const { input_tokens, output_tokens, finish_reason, cost_usd, model } = body;
  if (!isCount(input_tokens) || !isCount(output_tokens))
    throw badAnswer('the model sidecar gave no input_tokens or output_tokens');
  if (finish_reason === 'tool_calls' && calls.length === 0)
    throw badAnswer('the model sidecar says tool_calls, but names no tool');
  // A text of null is empty; without any, the answer is of another form.
  if (calls.length === 0 && typeof message.content !== 'string' && message.content !== null)
    throw badAnswer('the model sidecar gave neither message.content nor tool_calls');
  return {
    text: typeof message.content === 'string' ? message.content : '',
    calls,
    finishReason:
      calls.length > 0 ? 'tool_calls' : typeof finish_reason === 'string' && finish_reason !== '' ? finish_reason : 'stop',
    model: typeof model === 'string' && model !== '' ? model : asked,
    inputTokens: input_tokens,
    cachedInputTokens: undefined,
    outputTokens: output_tokens,
    costUsd: typeof cost_usd === 'number' && cost_usd >= 0 ? cost_usd : null,
    responseId: typeof body.id === 'string' && body.id !== '' ? body.id : undefined,
  };
}

function callOf(call: Json): GivenCall {
  const { id, name, arguments: given = {} } = isObject(call) ? call : {};
  if (typeof id !== 'string' || id.trim() === '' || typeof name !== 'string' || name.trim() === '')
    throw badAnswer('the model sidecar gave a tool call without id or name');
  return { id, name, ...(typeof given === 'string' ? parsedArguments(given) : { arguments: given }) };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function objectIn(text: string): JsonObject | null {
  try {
    const parsed = JSON.parse(text) as Json;
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
