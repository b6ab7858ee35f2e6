import type { JsonObject } from '../../../machines/json.ts';
import { TERMINAL } from '../../../machines/run.ts';
import type { EventView, ExecutionView, TextDelta } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import type { A2aVersion } from './rpc.ts';
import { contextOf, messageOf, toTask, usageIn } from './task.ts';

/** Events after which an execution may need input. */
const MAY_NEED_INPUT: ReadonlySet<string> = new Set([
  'interrupt_raised',
  'tool_approval_required',
  'node_started',
  'node_completed',
  'node_failed',
  'node_cancelled',
  'child_workflow_paused',
  'workflow_paused',
]);

export interface NewsOptions {
  readonly runtime: ServerRuntime;
  readonly tenantId: string;
  readonly version: A2aVersion;
  readonly signal: AbortSignal;
  /** Resolves when it is the turn of the stream to send. */
  readonly pace: () => Promise<void>;
  readonly send: (result: JsonObject) => Promise<void>;
}

/**
 * Sends a task as it is, and its news until it has ended or needs input: a status for each node that has completed, texts of models while they
 * are written (`metadata.delta`), and the final state as its artifact.
 */
export async function sendNews(id: string, options: NewsOptions): Promise<void> {
  const { runtime, tenantId, signal } = options;
  const news = new TaskNews(options);
  const first = await runtime.execution(tenantId, id);
  await news.task(first);
  if (TERMINAL.has(first.status) || (await runtime.inputNeed(tenantId, id)) !== null) return news.end(first, false);
  const texts = new AbortController();
  const stop = (): void => texts.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const deltas = news.texts(runtime.deltas(tenantId, id, texts.signal));
  try {
    let mayNeedInput = false;
    for await (const event of runtime.subscribe(tenantId, id, { after: first.sequence, signal })) {
      await news.event(event);
      mayNeedInput ||= MAY_NEED_INPUT.has(event.type);
      if (!mayNeedInput) continue;
      const view = await runtime.execution(tenantId, id);
      // The last event of a commit may be of another type, e.g. the timer of an approval.
      if (view.sequence > event.sequence) continue;
      mayNeedInput = false;
      if ((await runtime.inputNeed(tenantId, id)) === null) continue;
      return await news.end(view, true);
    }
    if (signal.aborted) return;
    await news.end(await runtime.execution(tenantId, id), true);
  } finally {
    stop();
    await deltas;
    signal.removeEventListener('abort', stop);
  }
}

/** Writes news in the form of a version, one at a time. */
class TaskNews {
  readonly #options: NewsOptions;
  #context = { id: '', contextId: '' };
  /** Events and texts have producers of their own. */
  #sent: Promise<void> = Promise.resolve();

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  async task(view: ExecutionView): Promise<void> {
    this.#context = { id: view.executionId, contextId: contextOf(view) };
    const task = await this.#taskOf(view);
    await this.#send(this.#options.version === '1.0' ? { task } : task);
  }

  async event({ type, nodeId, sequence, data }: EventView): Promise<void> {
    if (type !== 'node_completed' || nodeId === null || data.item !== undefined) return;
    await this.#status(String(sequence), `${nodeId} completed`, { node_id: nodeId, sequence });
  }

  async texts(deltas: AsyncIterable<TextDelta>): Promise<void> {
    for await (const { nodeId: node_id, activation, attempt, index, text } of deltas) {
      await this.#options.pace();
      const delta = { node_id, activation, attempt, index };
      await this.#status(Object.values(delta).join(':'), text, { delta });
    }
  }

  /** The end of the stream: the final state, unless the task has shown it, and the last status. */
  async end(view: ExecutionView, showsState: boolean): Promise<void> {
    const task = await this.#taskOf(view);
    const { id: taskId, contextId } = this.#context;
    const [artifact] = task.artifacts as readonly JsonObject[];
    if (showsState && artifact !== undefined)
      await this.#news('artifact-update', 'artifactUpdate', { taskId, contextId, artifact, append: false, lastChunk: true });
    const { version } = this.#options;
    const status = task.status as JsonObject;
    const final = version === '1.0' ? {} : { final: true };
    const metadata = { status: view.status, ...usageIn(view) };
    await this.#news('status-update', 'statusUpdate', { taskId, contextId, status, ...final, metadata });
  }

  /** News of a task that works. */
  async #status(name: string, text: string, metadata: JsonObject): Promise<void> {
    const { version } = this.#options;
    const { id: taskId, contextId } = this.#context;
    const message = messageOf({ id: `${taskId}-${name}`, taskId, contextId }, text, version);
    const status = { state: version === '1.0' ? 'TASK_STATE_WORKING' : 'working', message };
    await this.#news('status-update', 'statusUpdate', {
      taskId,
      contextId,
      status,
      ...(version === '1.0' ? {} : { final: false }),
      metadata,
    });
  }

  #news(kind: string, key: string, value: JsonObject): Promise<void> {
    return this.#send(this.#options.version === '1.0' ? { [key]: value } : { kind, ...value });
  }

  #send(result: JsonObject): Promise<void> {
    this.#sent = this.#sent.then(() => this.#options.send(result));
    return this.#sent;
  }

  async #taskOf(view: ExecutionView): Promise<JsonObject> {
    const { runtime, version } = this.#options;
    return toTask(view, await runtime.inputNeed(view.tenantId, view.executionId), version);
  }
}
