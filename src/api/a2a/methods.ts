import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';
import type { ExecutionView } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import { missingThing } from '../errors.ts';
import { executionId } from '../requests/ids.ts';
import { type Message, readMessage } from './message.ts';
import { type A2aVersion, RpcError, type RpcReason } from './rpc.ts';
import { CONTEXT_LABEL, contextOf, toTask } from './task.ts';

/** Upper bound on the wait for a task; after that, the reply is the task as it is, still working. */
const WAIT_MS = 60_000;

export interface A2aContext {
  readonly runtime: ServerRuntime;
  readonly caller: Caller;
  readonly version: A2aVersion;
  /** Of the request; null = none. */
  readonly traceparent: string | null;
  /** Throws `RequestError` `forbidden` unless the caller may write. */
  readonly permitWriting: () => void;
  /** The card for the caller. */
  readonly card: () => Promise<JsonObject>;
  /** Runs a wait whose signal is aborted when the client disconnects or the server closes. */
  readonly waitFor: <T>(wait: (signal: CancelSignal) => Promise<T>) => Promise<T>;
}

type Method = (context: A2aContext, params: JsonObject) => Promise<JsonObject>;

/** By method names of A2A 1.0 and 0.3. */
const METHODS: Readonly<Record<string, readonly [A2aVersion, Method]>> = {
  SendMessage: ['1.0', sendMessage],
  'message/send': ['0.3', sendMessage],
  GetTask: ['1.0', getTask],
  'tasks/get': ['0.3', getTask],
  CancelTask: ['1.0', cancelTask],
  'tasks/cancel': ['0.3', cancelTask],
  GetExtendedAgentCard: ['1.0', extendedCard],
  'agent/getAuthenticatedExtendedCard': ['0.3', extendedCard],
};

/** Methods that stream the news of a task, whose id the function gives. */
const STREAMING_METHODS: Readonly<
  Record<string, readonly [A2aVersion, (context: A2aContext, params: JsonObject) => Promise<string>]>
> = {
  SendStreamingMessage: ['1.0', begunTask],
  'message/stream': ['0.3', begunTask],
  SubscribeToTask: ['1.0', knownTask],
  'tasks/resubscribe': ['0.3', knownTask],
};

/** Methods that the card declares as unsupported. */
const UNSUPPORTED_METHODS: readonly (readonly [RegExp, RpcReason, string])[] = [
  [/^(?:ListTasks|tasks\/list)$/, 'UNSUPPORTED_OPERATION', 'use GET /executions to list tasks'],
  [/PushNotificationConfig/i, 'PUSH_NOTIFICATION_NOT_SUPPORTED', 'push notifications are not supported; use webhooks'],
];

/** Throws `RpcError` for unknown and unsupported methods. */
export function methodOf(name: string): { readonly version: A2aVersion; readonly run: Method } {
  const known = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (known !== undefined) return { version: known[0], run: known[1] };
  for (const [pattern, reason, message] of UNSUPPORTED_METHODS) if (pattern.test(name)) throw new RpcError(reason, message);
  throw new RpcError('METHOD_NOT_FOUND', `unknown method ${truncated(name)}`);
}

/** The streaming method of that name; null = there is none. */
export function streamingMethodOf(name: string) {
  const known = Object.hasOwn(STREAMING_METHODS, name) ? STREAMING_METHODS[name] : undefined;
  return known === undefined ? null : { version: known[0], taskOf: known[1] };
}

/** The task that a message starts, or continues. */
async function begunTask(context: A2aContext, params: JsonObject): Promise<string> {
  context.permitWriting();
  const message = readMessage(params);
  return message.taskId === null ? startTask(context, message) : continueTask(context, message.taskId, message);
}

async function knownTask(context: A2aContext, params: JsonObject): Promise<string> {
  const { executionId: id, completedAtMs, status } = await viewOf(context, params.id);
  if (completedAtMs !== null) throw new RpcError('UNSUPPORTED_OPERATION', `task ${id} is ${status}: it has no more news`);
  return id;
}

/** Starts a task, or delivers a decision or an event to a waiting one. A repeated message returns the task it started. */
async function sendMessage(context: A2aContext, params: JsonObject): Promise<JsonObject> {
  const id = await begunTask(context, params);
  const view = isBlocking(params, context.version)
    ? await context.waitFor((signal) => context.runtime.answered(context.caller.tenantId, id, WAIT_MS, signal))
    : await context.runtime.execution(context.caller.tenantId, id);
  const task = await asTask(context, view);
  return context.version === '1.0' ? { task } : task;
}

async function getTask(context: A2aContext, params: JsonObject): Promise<JsonObject> {
  return asTask(context, await viewOf(context, params.id));
}

/** The card with the published workflows of the caller's tenant. */
async function extendedCard(context: A2aContext): Promise<JsonObject> {
  return context.card();
}

async function cancelTask(context: A2aContext, params: JsonObject): Promise<JsonObject> {
  context.permitWriting();
  const { executionId: id } = await viewOf(context, params.id);
  try {
    await context.runtime.cancel(context.caller, id, 'canceled over A2A');
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'already_terminal')
      throw new RpcError('TASK_NOT_CANCELABLE', error.message, { cause: error });
    throw error;
  }
  return asTask(context, await context.runtime.execution(context.caller.tenantId, id));
}

async function startTask({ runtime, caller, traceparent }: A2aContext, message: Message): Promise<string> {
  const { workflowId, workflowVersion, contextId, messageId } = message;
  if (workflowId === null)
    throw new RpcError('INVALID_PARAMS', 'message.metadata.workflow_id is required: it names the workflow to start');
  return withRpcErrors(async () => {
    const { executionId } = await runtime.start(caller, {
      workflowId,
      input: message.content,
      idempotencyKey: `a2a:${caller.actorId}:${messageId}`,
      ...(workflowVersion === null ? {} : { version: workflowVersion }),
      ...(traceparent === null ? {} : { traceparent }),
      ...(contextId === null ? {} : { systemLabels: { [CONTEXT_LABEL]: contextId } }),
    });
    return executionId;
  });
}

/** `{decision, node_id?, comment?, state_patch?}` decides an approval, `{correlation_key, payload?}` sends an event. */
async function continueTask(context: A2aContext, taskId: string, { contextId, content, messageId }: Message): Promise<string> {
  const { runtime, caller } = context;
  const view = await viewOf(context, taskId);
  const id = view.executionId;
  if (contextId !== null && contextId !== contextOf(view))
    throw new RpcError('INVALID_PARAMS', `task ${id} does not belong to context ${truncated(contextId)}`);
  if (view.completedAtMs !== null)
    throw new RpcError('UNSUPPORTED_OPERATION', `task ${id} is ${view.status} and accepts no more messages`);
  const { decision, node_id, comment, state_patch, correlation_key, payload } = content;
  await withRpcErrors(async () => {
    if (typeof decision === 'string') {
      await runtime.approve(caller, id, {
        decision,
        ...(typeof node_id === 'string' ? { nodeId: node_id } : {}),
        ...(typeof comment === 'string' ? { comment } : {}),
        ...(isObject(state_patch) ? { statePatch: state_patch } : {}),
      });
    } else if (typeof correlation_key === 'string') {
      const idempotencyKey = `a2a:${caller.actorId}:${messageId}`;
      await runtime.sendEvent(caller, id, { key: correlation_key, payload: payload ?? null, idempotencyKey });
    } else {
      const what = 'a data part {"decision": "approved"} or {"correlation_key": …, "payload": …}';
      throw new RpcError('INVALID_PARAMS', `task ${id} needs ${what}`);
    }
  });
  return id;
}

async function asTask({ runtime, version }: A2aContext, view: ExecutionView): Promise<JsonObject> {
  return toTask(view, await runtime.inputNeed(view.tenantId, view.executionId), version);
}

async function viewOf({ runtime, caller }: A2aContext, id: Json | undefined): Promise<ExecutionView> {
  if (typeof id !== 'string' || id === '') throw new RpcError('INVALID_PARAMS', 'id is required');
  try {
    return await runtime.execution(caller.tenantId, executionId(id));
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'not_found')
      throw new RpcError('TASK_NOT_FOUND', `task ${truncated(id)} not found`, { cause: error });
    throw error;
  }
}

/** Runs `act`, and reports errors of the runtime about the request as invalid parameters. */
async function withRpcErrors<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RuntimeError && ['not_found', 'bad_request', 'conflict'].includes(error.code))
      throw new RpcError('INVALID_PARAMS', `${error.code.replace('_', ' ')}: ${missingThing(error.message)}`, { cause: error });
    throw error;
  }
}

function isBlocking({ configuration }: JsonObject, version: A2aVersion): boolean {
  if (!isObject(configuration)) return true;
  return version === '1.0' ? configuration.returnImmediately !== true : configuration.blocking !== false;
}
