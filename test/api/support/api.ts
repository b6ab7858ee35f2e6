import type { InjectOptions } from 'fastify';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { type ApiLog, buildApp } from '../../../src/api/app.ts';
import type { AcceptedDecision, Approvals } from '../../../src/api/operations/approvals.ts';
import type { Execution, ExecutionList } from '../../../src/api/operations/executions.ts';
import type { CreatedToken, TokenList } from '../../../src/api/operations/tokens.ts';
import type { ClaimedWork, EnqueuedWork, RenewedLease } from '../../../src/api/operations/work-items.ts';
import type { WorkerList } from '../../../src/api/operations/workers.ts';
import type {
  RegisteredWorkflow,
  WorkflowDetail,
  WorkflowList,
  WorkflowRevisions,
} from '../../../src/api/operations/workflows.ts';
import type { ApiErrorBody } from '../../../src/api/schemas/errors.ts';
import type { EventList } from '../../../src/api/schemas/events.ts';
import { ControlPlane } from '../../../src/control/control-plane.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { type Config, readConfig } from '../../../src/server/config.ts';
import { mintToken, type Role } from '../../../src/server/tokens.ts';
import { Metrics } from '../../../src/telemetry/metrics/index.ts';
import type { Store } from '../../../store/port/store.ts';
import type { FakeClock } from '../../support/clock.ts';
import { undocumented } from '../../support/openapi.ts';
import { openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

/** The fields of all replies together: a test looks only at those of the route it called. */
export type Body = ApiErrorBody &
  RegisteredWorkflow &
  WorkflowDetail &
  WorkflowRevisions &
  WorkflowList &
  Execution &
  ExecutionList &
  EventList &
  AcceptedDecision &
  Approvals &
  Required<ClaimedWork> &
  EnqueuedWork &
  RenewedLease &
  WorkerList &
  CreatedToken &
  TokenList;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Body;
}

export interface CallOptions {
  /** Role of the caller; null = no token. Default `developer`. */
  readonly as?: Role | null;
  readonly body?: unknown;
  /** Sent unchanged. */
  readonly rawBody?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Api extends TestRuntime {
  readonly app: ReturnType<typeof buildApp>;
  readonly control: ControlPlane;
  token(
    role: Role,
    options?: { readonly tenantId?: string; readonly expiresAtMs?: number; readonly name?: string },
  ): Promise<string>;
  call(method: string, url: string, options?: CallOptions): Promise<Reply>;
  get(url: string, options?: CallOptions): Promise<Reply>;
  post(url: string, body?: unknown, options?: CallOptions): Promise<Reply>;
  /** Registers and starts a workflow over HTTP; returns the id of the execution. */
  started(document: JsonObject, input?: unknown): Promise<string>;
}

export interface ApiOptions {
  /** Runs cron, webhooks, jobs and retention in the background, as a server does. */
  readonly background?: boolean;
  readonly auth?: 'on' | 'off';
  readonly tools?: Tools;
  readonly config?: Partial<Config>;
  readonly log?: ApiLog;
  readonly maxPending?: number;
  readonly models?: ModelSettings;
  readonly cacheBytes?: number;
  readonly metrics?: { readonly tenantLabel: boolean };
  /** Default: on an SQLite file. */
  readonly store?: Store;
  /** Default: one that stands still. */
  readonly clock?: FakeClock;
}

/** The REST API over a real runtime and store, which are closed and deleted after the test. */
export async function api(options: ApiOptions = {}): Promise<Api> {
  const { tools, maxPending, models, cacheBytes, store: given } = options;
  const config = { ...readConfig({}), ...options.config };
  const { allowPrivateAddresses } = config;
  const parts = await openTestRuntime({
    allowPrivateAddresses,
    ...(given === undefined ? {} : { on: given }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(tools === undefined ? {} : { tools }),
    ...(models === undefined ? {} : { models }),
    ...(maxPending === undefined ? {} : { maxPending }),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  });
  const { runtime, store, clock } = parts;
  const outbound = new Outbound({ allowPrivateAddresses });
  const control = new ControlPlane({ store, runtime, outbound, clock, onError: (error) => parts.errors.push(error) });
  if (options.background === true) await control.start();
  onTestFinished(() => control.close());
  const metrics =
    options.metrics === undefined
      ? null
      : new Metrics({
          runtime,
          store,
          nowMs: () => clock.nowMs(),
          onError: (error) => parts.errors.push(error),
          processMetrics: false,
          ...options.metrics,
        });
  if (metrics !== null) await metrics.start();
  onTestFinished(() => metrics?.close());
  const app = buildApp({
    runtime,
    store,
    control,
    config,
    auth: options.auth ?? 'on',
    nowMs: () => clock.nowMs(),
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(metrics === null ? {} : { metrics }),
  });
  onTestFinished(() => app.close());
  const known = new Map<Role, string>();

  const token: Api['token'] = async (role, { tenantId = 'default', expiresAtMs, name = role } = {}) => {
    const nowMs = clock.nowMs();
    const { plaintext, row } = mintToken({ tenantId, role, name, nowMs, expiresAtMs: expiresAtMs ?? null });
    const context = { tenantId, atMs: nowMs, actorId: 'tester', actorType: 'human', request: null } as const;
    await store.control({ type: 'token_created', token: row }, context);
    return plaintext;
  };
  const call: Api['call'] = async (method, url, { as = 'developer', body, rawBody, headers = {} } = {}) => {
    if (as !== null && !known.has(as)) known.set(as, await token(as));
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const reply = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url,
      headers: { ...(as === null ? {} : { authorization: `Bearer ${known.get(as)}` }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const status = reply.statusCode;
    const answered = reply.payload === '' ? null : JSON.parse(reply.payload);
    if (method !== 'HEAD') {
      const replied = { status, contentType: String(reply.headers['content-type']), body: answered ?? undefined };
      const problem = await undocumented(app, method, url, replied);
      if (problem !== null) throw new Error(`not as documented: ${problem}`);
    }
    return { status, headers: reply.headers, body: answered };
  };
  const post: Api['post'] = (url, body, more) => call('POST', url, { ...more, body });

  return {
    ...parts,
    app,
    control,
    token,
    call,
    get: (url, more) => call('GET', url, more),
    post,
    async started(document, input = {}) {
      await post('/workflows', { ir: document });
      return (await post('/executions', { workflow_id: document.workflow_id, input })).body.execution_id;
    },
  };
}

/** One node for an external worker. */
export const EXTERNAL = {
  workflow_id: 'external',
  version: '1.0.0',
  nodes: { work: { kind: { type: 'python_fn', module: 'm', function: 'f' } } },
  edges: [{ from: 'work', to: 'end' }],
};

/** Waits for a human. */
export const REVIEW = {
  workflow_id: 'review',
  version: '1.0.0',
  nodes: { review: { kind: { type: 'human_approval', description: 'Release?' } } },
  edges: [{ from: 'review', to: 'end' }],
};

/** Waits for an event. */
export const PAYMENT = {
  workflow_id: 'payment',
  version: '1.0.0',
  nodes: { pay: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'paid' } } },
  edges: [{ from: 'pay', to: 'end' }],
};

/** One node that calls the in-process tool `echo`. */
export const ECHO = {
  workflow_id: 'echo',
  version: '1.0.0',
  nodes: { echo: { kind: { type: 'tool', tool_ref: 'echo', output_key: 'echoed' } } },
  edges: [{ from: 'echo', to: 'end' }],
};
export const ECHO_TOOLS: Tools = { echo: (input: unknown) => input };

export const UNKNOWN_EXECUTION = 'exec_00000000000000000000000000000000';
