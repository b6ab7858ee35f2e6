import type { Readable } from 'node:stream';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { AgentTool } from '../../../machines/nodes/agent-tool.ts';
import { shortened } from '../../../machines/shortened.ts';
import { BeginSignal, untilAborted } from '../a2a/begin-signal.ts';
import { usageIn } from '../a2a/content.ts';
import { failureOf } from '../a2a/failure.ts';
import { MAX_RESPONSE_BYTES, tooLarge } from '../a2a/guarded-fetch.ts';
import { messageIdOf } from '../a2a/message-id.ts';
import type { AgentAddress } from '../a2a/remote-agents.ts';
import { type WorkContext, WorkError } from '../executor.ts';
import { contextHeaders } from '../http-content.ts';
import type { OpenResponse, Outbound } from '../outbound/index.ts';
import { toJson } from '../to-json.ts';
import type { AgentCall } from './call.ts';
import { type ToolResult, Turns } from './turns.ts';

export interface CallOverHttp {
  readonly kind: Pick<AgentTool, 'mode' | 'max_turns' | 'max_tokens_per_turn'>;
  readonly outbound: Outbound;
  readonly address: AgentAddress;
  readonly message: Json;
  readonly context: WorkContext;
  readonly call: AgentCall;
  /** No attempt follows that would send the task again. */
  readonly isLastAttempt: boolean;
}

/** Path of the requests of agents without a card, by method. */
type Path = 'tasks/send' | 'tasks/sendSubscribe' | 'tasks/cancel';

/**
 * Calls an agent without a card: `POST <url>/tasks/send`, or `/tasks/sendSubscribe` for a stream of JSON lines. Every attempt of a visit
 * sends the same task id and `Idempotency-Key`.
 */
export async function callOverHttp(given: CallOverHttp): Promise<ToolResult> {
  const { kind, address, message, context, call } = given;
  const id = messageIdOf(context.idempotencyKey, 0);
  await call.log('remote_task_started', { task_id: id, context_id: '', agent: address.url });
  try {
    if (kind.mode === 'streaming') return { output: await streamed(given, id), turns: null };
    if (kind.mode === 'sync') {
      const reply = await send(given, 'tasks/send', messageParams(id, message));
      call.spend(usageIn(reply));
      return { output: outputIn(reply), turns: null };
    }
    const turns = new Turns(kind, message, call, undefined);
    for (;;) {
      const reply = await send(given, 'tasks/send', messageParams(id, await turns.next()));
      const output = outputIn(reply);
      if (await turns.answered(output, usageIn(reply), stateIn(reply) === 'completed')) return { output, turns: turns.number };
      turns.advance(isObject(reply) && reply.output !== undefined ? reply.output : output);
    }
  } catch (error) {
    throw failureOf(error, address.name, address.credential.secrets, context.signal);
  }
}

/**
 * Sends a message. If its answer comes after the attempt was given up, the agent is asked to stop: it may not have known the task when it was
 * asked before. `drop` drops such an answer; returns whether the task goes on.
 */
function sent<T>(
  { outbound, address, context, isLastAttempt }: CallOverHttp,
  id: string,
  send: (signal: AbortSignal) => Promise<T>,
  drop: (late: T) => boolean,
): Promise<T> {
  const begin = new BeginSignal(context.signal, isLastAttempt);
  const answered = async (): Promise<T> => {
    try {
      const answer = await send(begin.signal);
      if (begin.isGivenUp && drop(answer)) await cancelOverHttp({ outbound, address, signal: begin.signal }, id);
      return answer;
    } finally {
      begin.begun();
    }
  };
  return untilAborted(answered(), context.signal);
}

/** Asks an agent without a card to stop. */
export async function cancelOverHttp(
  { outbound, address, signal }: Pick<CallOverHttp, 'outbound' | 'address'> & { readonly signal: AbortSignal },
  id: string,
): Promise<void> {
  const { secrets } = address.credential;
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tasks/cancel', params: { id } });
  await outbound.request({
    url: urlOf(address, 'tasks/cancel'),
    method: 'POST',
    headers: headersOf(address),
    body,
    signal,
    secrets,
  });
}

function messageParams(id: string, message: Json): JsonObject {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return { id, message: { role: 'user', parts: [{ type: 'text', text }] } };
}

async function send(given: CallOverHttp, path: Path, params: JsonObject): Promise<Json> {
  const { outbound, address, context } = given;
  const id = String(params.id);
  const ask = async (signal: AbortSignal): Promise<Json> => {
    const { text } = await outbound.request({
      url: urlOf(address, path),
      method: 'POST',
      headers: { ...headersOf(address), ...contextHeaders(context) },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: path, params }),
      signal,
      secrets: address.credential.secrets,
    });
    return resultIn(parsed(text, address), address);
  };
  return sent(given, id, ask, (late) => !isSettled(late));
}

/** The output is the last line. */
async function streamed(given: CallOverHttp, id: string): Promise<Json> {
  const { outbound, address, context, call, message } = given;
  const open = (signal: AbortSignal): Promise<OpenResponse> =>
    outbound.open({
      url: urlOf(address, 'tasks/sendSubscribe'),
      method: 'POST',
      headers: { ...headersOf(address), ...contextHeaders(context), accept: 'application/x-ndjson, application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tasks/sendSubscribe', params: messageParams(id, message) }),
      signal,
      secrets: address.credential.secrets,
    });
  const response = await sent(given, id, open, ({ body }) => {
    body.destroy();
    return true;
  });
  try {
    if (response.status < 200 || response.status > 299) throw refused(response, address);
    requireIdentity(response, address);
    let last: Json = null;
    for await (const line of linesOf(response.body, address.name)) {
      last = resultIn(chunkIn(line), address);
      await call.part(textIn(last));
      call.spend(usageIn(last));
    }
    if (call.chunks === 0)
      throw new WorkError(`agent "${address.name}" ended its stream without an answer`, {
        retryable: true,
        errorClass: 'connection_reset',
      });
    return outputIn(last);
  } finally {
    response.body.destroy();
  }
}

function refused({ status }: OpenResponse, { name }: AgentAddress): WorkError {
  const retryable = status === 429 || status >= 500;
  const errorClass = status === 429 ? 'rate_limit' : retryable ? 'server_error' : 'client_error';
  return new WorkError(`agent "${name}" answered ${status}`, { retryable, errorClass, httpStatus: status });
}

function requireIdentity({ headers, status }: OpenResponse, { name }: AgentAddress): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return;
  throw new WorkError(`agent "${name}" sent the content-encoding "${shortened(encoding, 60)}", which was not asked for`, {
    retryable: false,
    errorClass: 'invalid_response',
    httpStatus: status,
  });
}

/** The lines of a body that are not empty. */
async function* linesOf(body: Readable, agent: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let rest: string[] = [];
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_RESPONSE_BYTES) throw tooLarge(agent);
    const [first = '', ...more] = decoder.decode(chunk as Buffer, { stream: true }).split('\n');
    rest.push(first);
    for (const next of more) {
      const line = rest.join('').trim();
      rest = [next];
      if (line !== '') yield line;
    }
  }
  const last = rest.join('').trim();
  if (last !== '') yield last;
}

function chunkIn(line: string): Json {
  try {
    return toJson(JSON.parse(line), 'line');
  } catch {
    return { raw: line };
  }
}

function parsed(text: string, { name }: AgentAddress): Json {
  try {
    return toJson(JSON.parse(text), 'response');
  } catch (cause) {
    throw new WorkError(`agent "${name}" sent an answer that is not JSON`, {
      cause,
      retryable: true,
      errorClass: 'invalid_response',
    });
  }
}

/** The result of a JSON-RPC response; any other JSON is the result itself. */
function resultIn(reply: Json, { name }: AgentAddress): Json {
  if (!isObject(reply) || (reply.jsonrpc === undefined && reply.error === undefined)) return reply;
  const { error, result } = reply;
  if (error !== undefined && error !== null) {
    const message = isObject(error) && typeof error.message === 'string' ? error.message : JSON.stringify(error);
    throw new WorkError(`agent "${name}": ${shortened(message, 500)}`, { retryable: false, errorClass: 'task_failed' });
  }
  return result ?? null;
}

/** The state of a task: `completed`, `{state: "completed"}`. */
function stateIn(reply: Json): Json {
  if (!isObject(reply)) return null;
  return isObject(reply.status) ? (reply.status.state ?? null) : (reply.status ?? null);
}

/** Is nothing in progress any more? A reply without a state is the result. */
function isSettled(reply: Json): boolean {
  const state = stateIn(reply);
  return state === null || SETTLED.has(String(state));
}

const SETTLED: ReadonlySet<string> = new Set(['completed', 'failed', 'canceled', 'cancelled', 'rejected']);

/** The contents of the artifacts of a task, or the result as it is. */
function outputIn(reply: Json): Json {
  const artifacts = isObject(reply) && Array.isArray(reply.artifacts) ? (reply.artifacts as readonly Json[]) : [];
  const parts = artifacts.flatMap((artifact) =>
    isObject(artifact) && Array.isArray(artifact.parts) ? (artifact.parts as readonly Json[]) : [],
  );
  const contents = parts.flatMap((part) => (isObject(part) ? [part.data ?? part.text ?? null] : []));
  const [only, ...more] = contents;
  if (only === undefined) return reply;
  return more.length === 0 ? only : contents;
}

function textIn(chunk: Json): string {
  if (typeof chunk === 'string') return chunk;
  if (!isObject(chunk)) return '';
  const text = chunk.text ?? chunk.delta ?? chunk.raw ?? chunk.output;
  return typeof text === 'string' ? text : '';
}

function urlOf({ url }: AgentAddress, path: Path): string {
  return `${url.replace(/\/+$/, '')}/${path}`;
}

function headersOf({ credential }: AgentAddress): Record<string, string> {
  return { accept: 'application/json', 'content-type': 'application/json', ...credential.headers };
}
