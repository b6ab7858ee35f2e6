import type { Json, JsonObject } from '../../machines/json.ts';
import type { Execution, StartExecution, StartedExecution } from '../api/operations/executions.ts';
import type { CommitOperations, CommittedOperations } from '../api/operations/journal-operations.ts';
import type { AcceptedKeyedEvent, SendKeyedEvent } from '../api/operations/keyed-events.ts';
import type { HandledUpdate } from '../api/operations/updates.ts';
import type { ClaimedWork, ClaimWork } from '../api/operations/work-items.ts';
import type { RegisteredWorkflow, WorkflowDetail } from '../api/operations/workflows.ts';
import type { AcceptedEvent, Event, EventList } from '../api/schemas/events.ts';
import type { Health, Readiness } from '../api/schemas/health.ts';
import type { UntypedWorkflow, WorkflowDefinition, WorkflowTypes } from '../builder/definition.ts';
import { ArtifactClient } from './artifacts.ts';
import { AuditClient } from './audit.ts';
import { DiagramClient } from './diagrams.ts';
import { HistoryClient } from './history.ts';
import { JobClient } from './jobs.ts';
import { kindQuery, LiveClient, type LiveSelection } from './live.ts';
import { MemoryClient } from './memory.ts';
import { type Methods, methods } from './methods.ts';
import {
  Registrations,
  type RemoteExecution,
  type RemoteStartOptions,
  remoteExecution,
  startRequest,
} from './remote-execution.ts';
import { AGENTS, COMMANDS, CRON, SIGN_IN, TENANTS, WEBHOOKS } from './resources.ts';
import { ThreadClient } from './threads.ts';
import {
  type CallOptions,
  type ClientOptions,
  eventHeaders,
  idempotencyHeader,
  pathSegment,
  type SendEventOptions,
  Transport,
} from './transport.ts';

export type { Agent, AgentCardInput, AgentList, AgentStatusChange } from '../api/operations/agents.ts';
export type { ApprovalItem, ApprovalList } from '../api/operations/approvals.ts';
export type { AuditItem, AuditList } from '../api/operations/audit.ts';
export type { CronJob, CronJobList } from '../api/operations/cron.ts';
export type {
  ErrorGroups,
  Execution,
  ExecutionConditions,
  ExecutionCounts,
  ExecutionItem,
  ExecutionList,
  ExecutionsQuery,
  StartExecution,
} from '../api/operations/executions.ts';
export type { ForkExecution, PastState, Snapshot, SnapshotList } from '../api/operations/history.ts';
export type { Caller } from '../api/operations/identity.ts';
export type { ResumeExecution, RetriedExecution } from '../api/operations/interventions.ts';
export type { Job, JobList, RetryOutcomes } from '../api/operations/jobs.ts';
export type { CommitOperations, CommittedOperations } from '../api/operations/journal-operations.ts';
export type { AcceptedKeyedEvent, SendKeyedEvent } from '../api/operations/keyed-events.ts';
export type { FoundInMemory, MemoryNamespaces } from '../api/operations/memory.ts';
export type { NodeDetail } from '../api/operations/nodes.ts';
export type { Tenant, TenantDetail, TenantList } from '../api/operations/tenants.ts';
export type { Thread, ThreadList, ThreadMessages } from '../api/operations/threads.ts';
export type { HandledUpdate } from '../api/operations/updates.ts';
export type { Delivery, DeliveryList, ReplayedDeliveries, Webhook, WebhookList } from '../api/operations/webhooks.ts';
export type { WorkerList } from '../api/operations/workers.ts';
export type { RegisteredWorkflow, WorkflowDetail, WorkflowList, WorkflowRevisions } from '../api/operations/workflows.ts';
export type { PastDecision } from '../api/schemas/errors.ts';
export type { AcceptedEvent } from '../api/schemas/events.ts';
export type { Warning } from '../api/schemas/warnings.ts';
export type { LiveMessage, LiveTextDelta, LiveUpdate, TenantChange } from './live.ts';
export type { Reconnect, StreamState } from './reconnecting-stream.ts';
export type { RemoteExecution, RemoteStartOptions, TypedExecution } from './remote-execution.ts';
export {
  ApiError,
  type CallOptions,
  type ClientOptions,
  type HttpReply,
  type SendEventOptions,
  Unreachable,
} from './transport.ts';

const FOLLOW_WAIT_MS = 20_000;
/** How long the server waits for the answer to an update if the caller does not say it. */
const UPDATE_WAIT_MS = 5_000;
const EVENTS_PER_PAGE = 1_000;
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** The methods of the client that are those of a table. */
const Commands = class {
  constructor(transport: Transport) {
    Object.assign(this, methods(transport, COMMANDS));
  }
} as new (
  transport: Transport,
) => Methods<typeof COMMANDS>;

/**
 * A client of the REST API, one method per route. Requests and replies are the JSON of the API, in its snake_case. Every method rejects with
 * `ApiError` or `Unreachable`, or with the reason of an aborted signal.
 *
 * @example
 * const client = new JamjetClient({ url: 'http://127.0.0.1:7700', token: process.env.JAMJET_TOKEN ?? null });
 * const { execution_id } = await client.start({ workflow_id: 'greeting', input: { name: 'Ada' } });
 */
export class JamjetClient extends Commands {
  readonly #transport: Transport;
  readonly #registrations = new Registrations();

  readonly tenants: Methods<typeof TENANTS>;

  readonly agents: Methods<typeof AGENTS>;
  readonly artifacts: ArtifactClient;
  readonly audit: AuditClient;
  readonly cron: Methods<typeof CRON>;
  readonly memory: MemoryClient;
  readonly history: HistoryClient;
  readonly jobs: JobClient;
  readonly diagrams: DiagramClient;

  readonly live: LiveClient;

  readonly signIn: Methods<typeof SIGN_IN>;

  readonly threads: ThreadClient;

  readonly webhooks: Methods<typeof WEBHOOKS>;

  constructor(options: ClientOptions) {
    const transport = new Transport(options);
    super(transport);
    this.#transport = transport;
    this.agents = methods(transport, AGENTS);
    this.artifacts = new ArtifactClient(transport);
    this.audit = new AuditClient(transport);
    this.cron = methods(transport, CRON);
    this.memory = new MemoryClient(transport);
    this.history = new HistoryClient(transport);
    this.jobs = new JobClient(transport);
    this.diagrams = new DiagramClient(transport);
    this.live = new LiveClient(transport);
    this.signIn = methods(transport, SIGN_IN);
    this.threads = new ThreadClient(transport);
    this.webhooks = methods(transport, WEBHOOKS);
    this.tenants = methods(transport, TENANTS);
  }

  /** The server's URL, without a trailing slash. */
  get url(): string {
    return this.#transport.url;
  }

  /** Whether the server is up; needs no token. */
  health(options?: CallOptions): Promise<Health> {
    return this.#transport.call('GET', '/health', options);
  }

  /** Rejects with an `ApiError` with status 503 and code `not_ready` if no requests should be sent to this server. */
  ready(options?: CallOptions): Promise<Readiness> {
    return this.#transport.call('GET', '/health/ready', options);
  }

  /** Registers a workflow. Registering other content under the same version creates a new revision. Rejects with 400 and diagnostics. */
  registerWorkflow(ir: JsonObject, options?: CallOptions): Promise<RegisteredWorkflow> {
    return this.#transport.call('POST', '/workflows', { ...options, body: { ir } });
  }

  /** Registers the workflows of a workflow file in YAML. Rejects with 400 and diagnostics, which have line and column. */
  registerYaml(text: string, options?: CallOptions): Promise<RegisteredWorkflow> {
    return this.#transport.call('POST', '/workflows', {
      ...options,
      body: new TextEncoder().encode(text),
      headers: { 'content-type': 'application/yaml' },
    });
  }

  /** A workflow with its IR; without `version`, the latest. Rejects with 404 if it does not exist. */
  workflow(id: string, version?: string, options?: CallOptions): Promise<WorkflowDetail> {
    return this.#transport.call('GET', `/workflows/${pathSegment(id)}`, { ...options, query: { version } });
  }

  /** The content of a revision by its hash, or at least six of its first digits. Rejects with 404, or 409 if several begin so. */
  revision(id: string, revision: string, options?: CallOptions): Promise<WorkflowDetail> {
    return this.#transport.call('GET', `/workflows/${pathSegment(id)}`, { ...options, query: { revision } });
  }

  /**
   * Starts an execution and resolves without waiting for its end. With `idempotencyKey`, a repeated request starts no second one. With
   * `traceparent`, the execution becomes part of that trace (https://www.w3.org/TR/trace-context/).
   */
  start(
    request: StartExecution,
    options?: CallOptions & { readonly idempotencyKey?: string; readonly traceparent?: string },
  ): Promise<StartedExecution>;
  /**
   * Registers a workflow that was defined in TypeScript, with those that its subgraphs were given as definitions (once for each client), and
   * starts an execution of it. An id stands for the version that was registered last. Its functions are called where the server, or a worker, has them. Rejects with `InvalidWorkflow` if the
   * definition has errors.
   *
   * @example
   * const execution = await client.start(greeting, { name: 'Ada' });
   * const { status, state } = await execution.settled();
   */
  // The last form: a misspelt key of an input is reported against the last one.
  start<Types extends WorkflowTypes = UntypedWorkflow>(
    workflow: WorkflowDefinition<Types> | string,
    input: NoInfer<Types['input']>,
    options?: RemoteStartOptions,
  ): Promise<RemoteExecution<Types>>;
  start(
    first: WorkflowDefinition | StartExecution | string,
    second: unknown,
    options?: RemoteStartOptions,
  ): Promise<RemoteExecution<WorkflowTypes> | StartedExecution> {
    return typeof first === 'string' || 'document' in first
      ? this.#startWorkflow(first, second, options)
      : this.#start(first, second as RemoteStartOptions | undefined);
  }

  /** An execution that was started from the definition, here or elsewhere, with its types. Sends no request. */
  executionOf<Types extends WorkflowTypes>(_workflow: WorkflowDefinition<Types>, id: string): RemoteExecution<Types> {
    return remoteExecution<Types>(this, id);
  }

  async #startWorkflow(workflow: WorkflowDefinition | string, input: unknown, options: RemoteStartOptions = {}) {
    const isRegistered = typeof workflow === 'string' || options.register === false;
    const warnings = isRegistered ? [] : await this.#registrations.register(this, workflow);
    const { execution_id } = await this.#start(startRequest(workflow, input, options), options);
    return remoteExecution<WorkflowTypes>(this, execution_id, warnings);
  }

  #start(request: StartExecution, options: RemoteStartOptions = {}): Promise<StartedExecution> {
    const { idempotencyKey, traceparent } = options;
    return this.#transport.call('POST', '/executions', {
      ...options,
      body: request,
      headers: { ...idempotencyHeader(idempotencyKey), ...(traceparent === undefined ? {} : { traceparent }) },
    });
  }

  /** With `waitMs`, the server replies when the execution has ended or is paused, or after that time. Rejects with 404. */
  execution(id: string, options: CallOptions & { readonly waitMs?: number } = {}): Promise<Execution> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}`, { ...options, query: { wait_ms: options.waitMs } });
  }

  /** One page of the log after the sequence `after`; without `limit`, all of it. With `waitMs`, waits for an event if there is none. */
  async events(
    id: string,
    page: Omit<LiveSelection, 'reconnect'> & {
      readonly after?: number;
      readonly limit?: number;
      readonly nodeId?: string;
      readonly waitMs?: number;
    } = {},
  ): Promise<readonly Event[]> {
    const { after, limit, kinds, nodeId, waitMs } = page;
    const query = { after, limit, ...kindQuery(kinds), node_id: nodeId, wait_ms: waitMs, format: 'seed' };
    const list: EventList = await this.#transport.call('GET', `/executions/${pathSegment(id)}/events`, { ...page, query });
    return list.events;
  }

  /**
   * The log after the sequence `after`, then new events until the execution ends. With `segments`, the events of the executions that
   * continue it (`next_execution_id`) follow, each from 1. Uses long polling; `live` uses a stream.
   */
  async *follow(
    id: string,
    options: CallOptions & { readonly after?: number; readonly segments?: boolean } = {},
  ): AsyncGenerator<Event, void, undefined> {
    let after = options.after ?? 0;
    let current = id;
    for (;;) {
      const page = await this.events(current, { ...options, after, limit: EVENTS_PER_PAGE, waitMs: FOLLOW_WAIT_MS });
      for (const event of page) {
        yield event;
        after = event.sequence;
      }
      if (page.length > 0) continue;
      // The log of an ended execution does not grow, so its `sequence` is the end of the log.
      const { status, sequence, next_execution_id: next } = await this.execution(current, options);
      if (!TERMINAL.has(status) || sequence > after) continue;
      if (next === undefined || options.segments !== true) return;
      current = next;
      after = 0;
    }
  }

  /**
   * Sends an external event. It is buffered if no node waits for it yet. With `idempotencyKey`, a repeated request is ignored. A payload that does not
   * fit the `schema` of its wait is a warning; with `strict`, it is refused (400 `invalid_input`).
   */
  sendEvent(
    id: string,
    event: { readonly key: string; readonly payload: Json },
    options: CallOptions & SendEventOptions = {},
  ): Promise<AcceptedEvent> {
    const body = { correlation_key: event.key, payload: event.payload };
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/external-event`, {
      ...options,
      body,
      headers: eventHeaders(options),
    });
  }

  /**
   * Sends an external event to the live execution of a workflow with a key, and with `start` begins one if there is none. Rejects with 404 if none is live.
   *
   * @example
   * await client.sendEventByKey({ workflow_id: 'cart', key: 'cart-7', correlation_key: 'added', payload: { sku: 'X1' }, start: { input: {} } });
   */
  sendEventByKey(event: SendKeyedEvent, options: CallOptions & SendEventOptions = {}): Promise<AcceptedKeyedEvent> {
    return this.#transport.call('POST', '/events', { ...options, body: event, headers: eventHeaders(options) });
  }

  /**
   * Sends an update to the durable function of an execution, and resolves with what its handler has returned, or after `waitMs` (default 5000, at most
   * 60000) with `status: accepted`. With `idempotencyKey`, a repeated request is handled once and has the same answer. Rejects with 404 for a name that the
   * function has not given to `ctx.onUpdate` when it waits, or after `waitMs`, 400 for an input that does not fit, 409 if the function has ended, and 422 if
   * its handler has thrown an error.
   */
  sendUpdate(
    id: string,
    update: { readonly name: string; readonly input?: Json },
    options: CallOptions & { readonly waitMs?: number; readonly idempotencyKey?: string } = {},
  ): Promise<HandledUpdate> {
    const { waitMs, idempotencyKey } = options;
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/updates/${pathSegment(update.name)}`, {
      ...options,
      body: update.input === undefined ? {} : { input: update.input },
      query: { wait_ms: waitMs },
      headers: idempotencyHeader(idempotencyKey),
      waitMs: waitMs ?? UPDATE_WAIT_MS,
    });
  }

  /** Claims a work item of the given queues under a lease. With `wait_ms`, waits for one. */
  claimWork(claim: ClaimWork, options?: CallOptions): Promise<ClaimedWork> {
    return this.#transport.call('POST', '/work-items/claim', { ...options, body: claim, waitMs: claim.wait_ms ?? 0 });
  }

  /**
   * Commits what a durable function has begun and done, under the lease of its work item, and resolves with what the worker does not know of the journal.
   * Without operations and with `wait_ms`, waits for that. Rejects with 409 if the lease is lost, or an operation does not fit the journal.
   */
  commitOperations(id: string, operations: CommitOperations, options?: CallOptions): Promise<CommittedOperations> {
    const waitMs = operations.wait_ms ?? 0;
    return this.#transport.call('POST', `/work-items/${pathSegment(id)}/operations`, { ...options, body: operations, waitMs });
  }
}
