import type { JsonObject } from '../../../machines/json.ts';
import { MAX_SECONDS } from '../../../machines/limits.ts';
import { reservedLabel } from '../../../machines/reserved-labels.ts';
import { ignoredIn } from '../engine/envelope.ts';
import { executionStart } from '../engine/execution-start.ts';
import { starterFrom } from '../engine/loading/starter.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import { RuntimeError, truncated } from '../errors.ts';
import { startLabels } from '../start-labels.ts';
import { formatTraceparent, parseTraceparent } from '../trace-context.ts';
import type { Caller } from '../types/caller.ts';
import type { StartResult } from '../types/executions.ts';
import type { ServerRuntime, ServerStartRequest } from '../types/server-runtime.ts';
import { type CommandContext, runCommand } from './command.ts';
import { assertKey, startUnlessRunning } from './execution-key.ts';
import { type IdempotentRequest, idempotentRequest, unlessRepeated } from './idempotency.ts';
import { startOnce } from './start-once.ts';
import { assertStartThread } from './start-thread.ts';
import { requestTexts } from './storable-text.ts';

export function startCommand(context: CommandContext): ServerRuntime['start'] {
  const { store } = context;
  return (caller, request) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.start(request) }, async () => {
      const once = idempotentRequest(caller.tenantId, 'executions', request.idempotencyKey, () => ({
        workflow_id: request.workflowId,
        workflow_version: request.version ?? null,
        input: request.input ?? {},
        labels: { ...request.labels, ...request.systemLabels },
        ...(request.thread === undefined ? {} : { thread: request.thread }),
        ...(request.key === undefined ? {} : { key: request.key }),
        ...(request.ifRunning === undefined ? {} : { if_running: request.ifRunning }),
        ...(request.startAtMs === undefined ? {} : { start_at_ms: request.startAtMs }),
        ...(request.delayMs === undefined ? {} : { delay_ms: request.delayMs }),
      }));
      const outcome = await unlessRepeated(store, once, () => startNew(context, caller, request, once));
      return 'earlier' in outcome ? earlierResult(outcome.earlier as JsonObject) : outcome;
    });
}

/** Starts an execution, or with its key finds the one that is running. `once`: the request that a client may send again. */
export async function startNew(
  context: CommandContext,
  caller: Caller,
  request: ServerStartRequest,
  once: IdempotentRequest | null,
): Promise<StartResult> {
  const { tenantId } = caller;
  const { input = {}, key, ifRunning } = request;
  refuseReservedLabels(request.labels ?? {});
  const startAtMs = startTime(request, context.clock.nowMs());
  if (ifRunning !== undefined && key === undefined) throw new RuntimeError('bad_request', 'if_running needs a key');
  const loaded = await workflowToStart(context, tenantId, request);
  const assertInput = loaded.assertInput ?? (request.checkInput === true ? loaded.assertFits : null);
  if (assertInput !== null) await assertInput(input);
  if (request.thread !== undefined) assertStartThread(loaded, request.thread, input);
  const begin = () => startLoaded(context, caller, { request, startAtMs, loaded, once });
  if (key === undefined) return begin();
  assertKey(loaded, key, input);
  const of = { workflowId: loaded.program.workflow.workflow_id, key, ifRunning };
  return startUnlessRunning(context, caller, of, once, begin);
}

/** What is started, after its checks. */
interface LoadedStart {
  readonly request: ServerStartRequest;
  readonly startAtMs: number | undefined;
  readonly loaded: LoadedWorkflow;
  readonly once: IdempotentRequest | null;
}

async function startLoaded(
  context: CommandContext,
  caller: Caller,
  { request, startAtMs, loaded, once }: LoadedStart,
): Promise<StartResult> {
  const { clock, ids } = context;
  const { tenantId } = caller;
  const { input = {}, subjectToken } = request;
  const nowMs = clock.nowMs();
  const id = ids.execution(nowMs);
  await keepSubjectToken(context, loaded, { tenantId, executionId: id }, subjectToken);
  const startedBy = starterFrom(caller);
  const traceparent = validTraceparent(request.traceparent);
  const labels = { ...request.labels, ...request.systemLabels, ...startLabels(request) };
  const start = executionStart({ id, tenantId, loaded, startedBy, traceparent, input, nowMs, startAtMs, parent: null, labels });
  try {
    const outcome = await startOnce(context, caller, start, once, { execution_id: id });
    return { executionId: id, replayed: false, ...ignoredIn(outcome) };
  } catch (error) {
    if (subjectToken !== undefined) await context.subjectTokens.forget({ tenantId, executionId: id });
    throw error;
  }
}

/** Undefined = it begins at once. */
function startTime({ startAtMs, delayMs }: ServerStartRequest, nowMs: number): number | undefined {
  if (startAtMs !== undefined && delayMs !== undefined) throw new RuntimeError('bad_request', 'give start_at or delay, not both');
  const atMs = delayMs === undefined ? startAtMs : nowMs + delayMs;
  if (atMs !== undefined && !(atMs >= 0 && atMs <= nowMs + MAX_SECONDS * 1_000))
    throw new RuntimeError('bad_request', 'an execution can be started at most 100 years ahead');
  return atMs;
}

/** In the version that this runtime knows; undefined = none, or not a valid one. */
function validTraceparent(given: string | undefined): string | undefined {
  const parsed = given === undefined ? null : parseTraceparent(given);
  return parsed === null ? undefined : formatTraceparent(parsed);
}

async function keepSubjectToken(
  { subjectTokens }: CommandContext,
  { program }: LoadedWorkflow,
  owner: { readonly tenantId: string; readonly executionId: string },
  token: string | undefined,
): Promise<void> {
  if (token === undefined) return;
  if (program.workflow.oauth === null)
    throw new RuntimeError(
      'bad_request',
      `workflow ${truncated(program.workflow.workflow_id)} has no use for a subject_token: it has no oauth`,
    );
  await subjectTokens.keep(owner, token);
}

/** Rejects with `not_found`. */
export async function workflowToStart(
  { workflows }: CommandContext,
  tenantId: string,
  { workflowId, version }: Pick<ServerStartRequest, 'workflowId' | 'version'>,
): Promise<LoadedWorkflow> {
  const loaded = workflows.findCached(tenantId, workflowId, version) ?? (await workflows.find(tenantId, workflowId, version));
  if (loaded !== null) return loaded;
  const versioned = `${truncated(workflowId)}${version === undefined ? '' : ` v${version}`}`;
  throw new RuntimeError('not_found', `workflow ${versioned} not found`);
}

function refuseReservedLabels(labels: Readonly<Record<string, string>>): void {
  const reserved = reservedLabel(labels);
  if (reserved === undefined) return;
  const message = `label ${truncated(reserved)} is reserved: only the runtime sets labels that begin with jamjet.`;
  throw new RuntimeError('bad_request', message);
}

function earlierResult({ execution_id, already_running }: JsonObject): StartResult {
  return { executionId: String(execution_id), replayed: true, ...(already_running === true ? { alreadyRunning: true } : {}) };
}
