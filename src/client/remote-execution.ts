import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { AcceptedDecision, Approve } from '../api/operations/approvals.ts';
import type { CancelledExecution, Execution, StartExecution } from '../api/operations/executions.ts';
import type { RegisteredWorkflow } from '../api/operations/workflows.ts';
import type { AcceptedEvent, Event } from '../api/schemas/events.ts';
import type { WorkflowDefinition, WorkflowTypes } from '../builder/definition.ts';
import type { LiveClient } from './live.ts';
import type { StreamOptions } from './reconnecting-stream.ts';
import type { CallOptions, SendEventOptions } from './transport.ts';

const MAX_WAIT_MS = 60_000;

/** What of `JamjetClient` is called for an execution. */
interface Requests {
  readonly live: Pick<LiveClient, 'execution'>;
  execution(id: string, options?: CallOptions & { readonly waitMs?: number }): Promise<Execution>;
  sendEvent(
    id: string,
    event: { readonly key: string; readonly payload: Json },
    options?: CallOptions & SendEventOptions,
  ): Promise<AcceptedEvent>;
  approve(id: string, decision: Approve, options?: CallOptions): Promise<AcceptedDecision>;
  cancel(id: string, reason?: string, options?: CallOptions): Promise<CancelledExecution>;
}

/** What of `JamjetClient` is called to register. */
interface Registering {
  registerWorkflow(ir: JsonObject): Promise<RegisteredWorkflow>;
}

/** An execution of a workflow that was defined in TypeScript, as the server has it at a time. */
export type TypedExecution<Types extends WorkflowTypes> = Omit<Execution, 'state' | 'input'> & {
  /** Keys that only later nodes write may be missing. */
  readonly state: Types['state'];
  readonly input: Types['input'];
};

/** How an execution is started on a server. */
export interface RemoteStartOptions extends CallOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Id of the thread that models and agents without a thread of their own continue. Default: none. */
  readonly thread?: string;
  /** One live execution of the workflow has a key at most. Rejects with 409 `already_running` while one has it. Default: none. */
  readonly key?: string;
  /** What is done while an execution has the key; `return`: that one is the result. Default: the request is rejected. */
  readonly ifRunning?: 'return';
  /** When it begins; it is `pending` until then. Default: at once. */
  readonly startAt?: Date;
  /** After which time it begins, in the place of `startAt`: seconds, or a text such as `90s` or `2d`. */
  readonly delay?: number | string;
  /** A repeated request with the same key starts no second execution. */
  readonly idempotencyKey?: string;
  /** The trace of which the execution becomes part (https://www.w3.org/TR/trace-context/). */
  readonly traceparent?: string;
  /** Token of the person on whose behalf the execution acts, for workflows with `oauth`. */
  readonly subjectToken?: string;
  /** False: the workflow is started as it is registered under its version. Default: true. */
  readonly register?: boolean;
}

/**
 * An execution on a server, with the types of its workflow. It has the methods of an execution that a runtime has started; what they resolve
 * with is the JSON of the API.
 */
export interface RemoteExecution<Types extends WorkflowTypes> {
  readonly executionId: string;
  /** What the server warned of when this client registered the workflow, for example a tool that no process serves. */
  readonly warnings: readonly Diagnostic[];
  /** The execution as it is now. */
  read(options?: CallOptions): Promise<TypedExecution<Types>>;
  /** Resolves when it has ended or is paused, and after `waitMs` milliseconds (default and maximum 60,000) at the latest. */
  settled(waitMs?: number, signal?: AbortSignal): Promise<TypedExecution<Types>>;
  /** Its log from the event after sequence `after`, then live, until it has ended. */
  events(options?: StreamOptions & { readonly after?: number }): AsyncIterable<Event>;
  /** Sends an event that a node waits for, or will. */
  sendEvent<Key extends keyof Types['events'] & string>(
    key: Key,
    payload: Types['events'][Key],
    options?: CallOptions & SendEventOptions,
  ): Promise<AcceptedEvent>;
  /** Decides a pending approval. */
  approve(
    decision: Omit<Approve, 'decision' | 'node_id'> & {
      readonly decision: 'approved' | 'rejected';
      readonly node_id?: Types['nodeId'] | (string & {});
    },
    options?: CallOptions,
  ): Promise<AcceptedDecision>;
  cancel(reason?: string, options?: CallOptions): Promise<CancelledExecution>;
}

/** The execution of an id, which is one of the workflow whose types are given. */
export function remoteExecution<Types extends WorkflowTypes>(
  client: Requests,
  executionId: string,
  warnings: readonly Diagnostic[] = [],
): RemoteExecution<Types> {
  const typed = (execution: Execution): TypedExecution<Types> => execution;
  return {
    executionId,
    warnings,
    read: async (options) => typed(await client.execution(executionId, options)),
    settled: async (waitMs = MAX_WAIT_MS, signal) =>
      typed(await client.execution(executionId, { waitMs, ...(signal === undefined ? {} : { signal }) })),
    events: (options) => client.live.execution(executionId, options),
    sendEvent: (key, payload, options) => client.sendEvent(executionId, { key, payload: payload as Json }, options),
    approve: (decision, options) => client.approve(executionId, decision, options),
    cancel: (reason, options) => client.cancel(executionId, reason, options),
  };
}

/** Registers definitions at a server: each once for each client, and again if that failed. */
export class Registrations {
  readonly #known = new WeakMap<WorkflowDefinition, Promise<RegisteredWorkflow>>();

  /** Registers the workflow after those of its subgraphs. Resolves with the warnings of all of them. */
  async register(client: Registering, workflow: WorkflowDefinition): Promise<readonly Diagnostic[]> {
    const warnings: Diagnostic[] = [];
    for (const definition of [...workflow.subworkflows, workflow]) {
      const registering = this.#known.get(definition) ?? client.registerWorkflow(definition.document);
      this.#known.set(definition, registering);
      const registered = await registering.catch((error: unknown) => {
        this.#known.delete(definition);
        throw error;
      });
      warnings.push(...registered.warnings);
    }
    return warnings;
  }
}

/** The request that starts the workflow under the version of its definition, or by its id as it was registered last. */
export function startRequest(
  workflow: WorkflowDefinition | string,
  input: unknown,
  { labels, thread, key, ifRunning, startAt, delay, subjectToken }: RemoteStartOptions,
): StartExecution {
  return {
    ...(typeof workflow === 'string'
      ? { workflow_id: workflow }
      : { workflow_id: workflow.id, workflow_version: String(workflow.document.version) }),
    input: input as Json,
    ...(labels === undefined ? {} : { labels }),
    ...(thread === undefined ? {} : { thread }),
    ...(key === undefined ? {} : { key }),
    ...(ifRunning === undefined ? {} : { if_running: ifRunning }),
    ...(startAt === undefined ? {} : { start_at: startAt.toISOString() }),
    ...(delay === undefined ? {} : { delay }),
    ...(subjectToken === undefined ? {} : { subject_token: subjectToken }),
  };
}
