import type { Json, JsonObject } from '../../machines/json.ts';
import type { AcceptedDecision, Approvals, Approve } from '../api/schemas/approvals.ts';
import type { AcceptedEvent, Event, EventList } from '../api/schemas/events.ts';
import type {
  CancelledExecution,
  Execution,
  ExecutionList,
  ExecutionsQuery,
  StartExecution,
  StartedExecution,
} from '../api/schemas/executions.ts';
import type { Health } from '../api/schemas/health.ts';
import type { PausedExecution, ResumedExecution, ResumeExecution, RetriedExecution } from '../api/schemas/interventions.ts';
import type { CreatedToken, CreateToken, RevokedToken, TokenList } from '../api/schemas/tokens.ts';
import type {
  ClaimedWork,
  ClaimWork,
  CompletedWork,
  CompleteWork,
  EnqueuedWork,
  EnqueueWork,
  FailedWork,
  FailWork,
  Heartbeat,
  RenewedLease,
} from '../api/schemas/work-items.ts';
import type { WorkerList } from '../api/schemas/workers.ts';
import type { RegisteredWorkflow, WorkflowDetail, WorkflowList } from '../api/schemas/workflows.ts';
import { AgentClient } from './agents.ts';
import { ArtifactClient } from './artifacts.ts';
import { AuditClient } from './audit.ts';
import { CronClient } from './cron.ts';
import { HistoryClient } from './history.ts';
import { JobClient } from './jobs.ts';
import { kindQuery, LiveClient, type LiveSelection } from './live.ts';
import { PictureClient } from './pictures.ts';
import { TenantClient } from './tenants.ts';
import { type CallOptions, type ClientOptions, idempotencyHeader, pathSegment, Transport } from './transport.ts';
import { WebhookClient } from './webhooks.ts';

export type { Agent, AgentCardInput, AgentList, AgentMoved } from '../api/schemas/agents.ts';
export type { AuditItem, AuditList } from '../api/schemas/audit.ts';
export type { CronJob, CronJobList } from '../api/schemas/cron.ts';
export type { PastDecision } from '../api/schemas/errors.ts';
export type { Execution, ExecutionConditions, ExecutionItem, ExecutionList, ExecutionsQuery } from '../api/schemas/executions.ts';
export type { ForkExecution, PastState, Snapshot, SnapshotList } from '../api/schemas/history.ts';
export type { ResumeExecution, RetriedExecution } from '../api/schemas/interventions.ts';
export type { Job, JobList } from '../api/schemas/jobs.ts';
export type { Tenant, TenantDetail, TenantList } from '../api/schemas/tenants.ts';
export type { Delivery, DeliveryList, ReplayedDeliveries, Webhook, WebhookList } from '../api/schemas/webhooks.ts';
export type { RegisteredWorkflow } from '../api/schemas/workflows.ts';
export { ApiError, type CallOptions, type ClientOptions, Unreachable } from './transport.ts';

const FOLLOW_WAIT_MS = 20_000;
const EVENTS_PER_PAGE = 1_000;
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** The REST API, one method per route. Every method rejects with `ApiError` or `Unreachable`, or with the reason of an aborted signal. */
export class JamjetClient {
  readonly #transport: Transport;

  readonly tenants: TenantClient;

  readonly agents: AgentClient;
  readonly artifacts: ArtifactClient;
  readonly audit: AuditClient;
  readonly cron: CronClient;
  readonly history: HistoryClient;
  readonly jobs: JobClient;
  readonly pictures: PictureClient;

  readonly live: LiveClient;

  readonly webhooks: WebhookClient;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
    this.agents = new AgentClient(this.#transport);
    this.artifacts = new ArtifactClient(this.#transport);
    this.audit = new AuditClient(this.#transport);
    this.cron = new CronClient(this.#transport);
    this.history = new HistoryClient(this.#transport);
    this.jobs = new JobClient(this.#transport);
    this.pictures = new PictureClient(this.#transport);
    this.live = new LiveClient(this.#transport);
    this.webhooks = new WebhookClient(this.#transport);
    this.tenants = new TenantClient(this.#transport);
  }

  get url(): string {
    return this.#transport.url;
  }

  health(options?: CallOptions): Promise<Health> {
    return this.#transport.call('GET', '/health', options);
  }

  registerWorkflow(ir: JsonObject, options?: CallOptions): Promise<RegisteredWorkflow> {
    return this.#transport.call('POST', '/workflows', { ...options, body: { ir } });
  }

  workflows(page: { readonly limit?: number; readonly offset?: number } = {}, options?: CallOptions): Promise<WorkflowList> {
    return this.#transport.call('GET', '/workflows', { ...options, query: { ...page } });
  }

  workflow(id: string, version?: string, options?: CallOptions): Promise<WorkflowDetail> {
    return this.#transport.call('GET', `/workflows/${pathSegment(id)}`, { ...options, query: { version } });
  }

  start(request: StartExecution, options: CallOptions & { readonly idempotencyKey?: string } = {}): Promise<StartedExecution> {
    return this.#transport.call('POST', '/executions', {
      ...options,
      body: request,
      headers: idempotencyHeader(options.idempotencyKey),
    });
  }

  executions(query: ExecutionsQuery = {}, options?: CallOptions): Promise<ExecutionList> {
    return this.#transport.call('GET', '/executions', { ...options, query: { ...query } });
  }

  /** With `waitMs`: answers when the execution is terminal or paused, at the latest after that time. */
  execution(id: string, options: CallOptions & { readonly waitMs?: number } = {}): Promise<Execution> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}`, { ...options, query: { wait_ms: options.waitMs } });
  }

  /** One page of the log; without a limit the whole of it. With `waitMs`: waits for the next event when there is none. */
  async events(
    id: string,
    page: LiveSelection & {
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

  /** The log from `after` on, page by page, then live until the execution has ended. */
  async *follow(id: string, options: CallOptions & { readonly after?: number } = {}): AsyncGenerator<Event, void, undefined> {
    let after = options.after ?? 0;
    for (;;) {
      const page = await this.events(id, { ...options, after, limit: EVENTS_PER_PAGE, waitMs: FOLLOW_WAIT_MS });
      for (const event of page) {
        yield event;
        after = event.sequence;
      }
      if (page.length > 0) continue;
      // An ended execution writes nothing more, so its `sequence` is the end of the log.
      const { status, sequence } = await this.execution(id, options);
      if (TERMINAL.has(status) && sequence <= after) return;
    }
  }

  cancel(id: string, reason?: string, options?: CallOptions): Promise<CancelledExecution> {
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/cancel`, { ...options, body: { reason } });
  }

  /** Holds an execution: nothing begins any more until `resume`. */
  pause(id: string, reason?: string, options?: CallOptions): Promise<PausedExecution> {
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/pause`, { ...options, body: { reason } });
  }

  /** Lets a held execution go on; one over its budget with new totals. */
  resume(id: string, budgets: ResumeExecution = {}, options?: CallOptions): Promise<ResumedExecution> {
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/resume`, { ...options, body: budgets });
  }

  /** Of an execution that has failed: the nodes that failed it run again. */
  retry(id: string, options?: CallOptions): Promise<RetriedExecution> {
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/retry`, options);
  }

  approve(id: string, decision: Approve, options?: CallOptions): Promise<AcceptedDecision> {
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/approve`, { ...options, body: decision });
  }

  approvals(id: string, options?: CallOptions): Promise<Approvals> {
    return this.#transport.call('GET', `/executions/${pathSegment(id)}/approvals`, options);
  }

  sendEvent(
    id: string,
    event: { readonly key: string; readonly payload: Json },
    options: CallOptions & { readonly idempotencyKey?: string } = {},
  ): Promise<AcceptedEvent> {
    const body = { correlation_key: event.key, payload: event.payload };
    return this.#transport.call('POST', `/executions/${pathSegment(id)}/external-event`, {
      ...options,
      body,
      headers: idempotencyHeader(options.idempotencyKey),
    });
  }

  enqueueWork(item: EnqueueWork, options?: CallOptions): Promise<EnqueuedWork> {
    return this.#transport.call('POST', '/work-items', { ...options, body: item });
  }

  claimWork(claim: ClaimWork, options?: CallOptions): Promise<ClaimedWork> {
    return this.#transport.call('POST', '/work-items/claim', { ...options, body: claim, waitMs: claim.wait_ms ?? 0 });
  }

  completeWork(id: string, result: CompleteWork, options?: CallOptions): Promise<CompletedWork> {
    return this.#transport.call('POST', `/work-items/${pathSegment(id)}/complete`, { ...options, body: result });
  }

  failWork(id: string, failure: FailWork, options?: CallOptions): Promise<FailedWork> {
    return this.#transport.call('POST', `/work-items/${pathSegment(id)}/fail`, { ...options, body: failure });
  }

  heartbeat(id: string, lease: Heartbeat, options?: CallOptions): Promise<RenewedLease> {
    return this.#transport.call('POST', `/work-items/${pathSegment(id)}/heartbeat`, { ...options, body: lease });
  }

  workers(options?: CallOptions): Promise<WorkerList> {
    return this.#transport.call('GET', '/workers', options);
  }

  createToken(grant: CreateToken, options?: CallOptions): Promise<CreatedToken> {
    return this.#transport.call('POST', '/tokens', { ...options, body: grant });
  }

  tokens(options?: CallOptions): Promise<TokenList> {
    return this.#transport.call('GET', '/tokens', options);
  }

  revokeToken(id: string, options?: CallOptions): Promise<RevokedToken> {
    return this.#transport.call('DELETE', `/tokens/${pathSegment(id)}`, options);
  }
}
