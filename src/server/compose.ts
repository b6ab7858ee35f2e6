import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { StoreError } from '../../store/port/errors.ts';
import type { Store } from '../../store/port/store.ts';
import { buildApp } from '../api/app.ts';
import { isLoopback } from '../api/auth/cross-origin.ts';
import { MetricsListener } from '../api/metrics/listener.ts';
import { listenWhileStarting } from '../api/starting.ts';
import type { ClientOptions } from '../client/index.ts';
import type { LiveUpdate } from '../client/live.ts';
import { agentDirectory } from '../control/agents/directory.ts';
import { ControlPlane } from '../control/control-plane.ts';
import type { CronJobs } from '../control/cron/jobs.ts';
import type { McpServers } from '../executors/mcp/endpoint.ts';
import { Outbound } from '../executors/outbound/index.ts';
import { ToolsError } from '../project/tools.ts';
import { systemClock } from '../runtime/clock.ts';
import { randomRuntimeId } from '../runtime/ids.ts';
import { createRuntime } from '../runtime/index.ts';
import { DEFAULT_GRACE_MS } from '../runtime/options.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import type { Tools } from '../runtime/types/work.ts';
import { Metrics } from '../telemetry/metrics/index.ts';
import { Tracing } from '../telemetry/traces/index.ts';
import type { TracingSettings } from '../telemetry/traces/settings.ts';
import { type Config, ConfigError, urlOf, VERSION } from './config.ts';
import { openDatabase } from './databases.ts';
import { embeddedFetch } from './embedded-fetch.ts';
import { LifecycleLog, type StopReason } from './lifecycle-log.ts';
import { readModelScript } from './model-script.ts';
import { mcpServersOf, readOperatorFile } from './operator-file.ts';
import { type ProcessEvents, ProcessGuard } from './process-guard.ts';
import { isGranted, missingTools, toolsOf, varsOf } from './tenant-grants.ts';

/** Upper bound for a shutdown beyond its grace period, in case the database hangs. */
const SHUTDOWN_SLACK_MS = 10_000;
/** Connections that wait to be accepted; the system may allow fewer. With Node's 511, a burst of clients waits for seconds. */
const BACKLOG = 4_096;
const LOST_LOCK: StopReason = 'lost lock';
const UNCAUGHT: StopReason = 'uncaught exception';

/** The server cannot listen on the address; the message says which and why. */
export class ListenError extends Error {
  readonly code = 'cannot_listen';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ListenError';
  }
}

/** Options of `startServer` and `createServer`. */
export interface ServerOptions {
  readonly config: Config;
  readonly tools?: Tools;
  readonly auth: 'on' | 'off';
  /** Those of the user's own files, commands included; the operator's come first. */
  readonly mcpServers?: McpServers;
  readonly log?: Logger;
  /** Receives the lines of the log, which are JSON, in the place of standard output. */
  readonly logTo?: { write(line: string): void };
}

export interface Server {
  readonly url: string;
  readonly port: number;
  readonly runtime: ServerRuntime;
  readonly cron: CronJobs;
  /** Resolves with the reason when the server cannot go on and has to be closed: another runtime has taken the lock of its database, or of a program that handles it, an exception was not caught. */
  readonly failed: Promise<StopReason>;
  /**
   * Says that it is not ready for `JAMJET_SHUTDOWN_DELAY_MS`. Then refuses new requests, finishes commits, gives in-process work `graceMs` to finish, then closes the database. Logs the reason, such as
   * the name of a signal.
   */
  close(graceMs?: number, reason?: StopReason): Promise<void>;
}

/**
 * Starts the runtime with its REST API. Rejects with `StoreError`, `ListenError` or `ToolsError`. `events`: of a process that is only the server, which
 * handles what no code has handled.
 */
export async function startServer(options: ServerOptions, events: ProcessEvents | null = null): Promise<Server> {
  const { config, auth, tools = {} } = options;
  if (auth === 'off' && !isLoopback(config.bind))
    throw new ListenError(`without authentication the server must listen on a loopback address, and ${config.bind} is not one`);
  await checkTools(options);
  const log = logOf(options);
  const lifecycle = new LifecycleLog(log, config);
  lifecycle.starting(events !== null);
  let fail: (reason: StopReason) => void = () => {};
  const failed = new Promise<StopReason>((resolve) => {
    fail = resolve;
  });
  const guard = events === null ? null : guardOf(events, options, log, () => fail(UNCAUGHT));
  try {
    let isStopping = false;
    const services = await openListening({ ...options, onLostLock: () => fail(LOST_LOCK), isStopping: () => isStopping }, log);
    const { port } = services.app.server.address() as AddressInfo;
    const url = urlOf(config.bind, port);
    lifecycle.started({ url, auth, tools: Object.keys(tools) });
    const close = async (graceMs?: number, reason = 'closed'): Promise<void> => {
      const startedMs = performance.now();
      lifecycle.stopping(reason);
      isStopping = true;
      if (reason !== LOST_LOCK) await setTimeout(config.shutdownDelayMs);
      await services.close(graceMs);
      guard?.close();
      lifecycle.stopped(reason, performance.now() - startedMs);
    };
    return { url, port, runtime: services.runtime, cron: services.control.cron, failed, close };
  } catch (error) {
    guard?.close();
    lifecycle.notStarted(error);
    throw error;
  }
}

function guardOf(events: ProcessEvents, { tools = {} }: Pick<ServerOptions, 'tools'>, log: Logger, onFatal: () => void) {
  const hasCode = Object.keys(tools).length > 0;
  return new ProcessGuard({ events, hasCode, log: (level, message, fields) => log[level](fields, message), onFatal });
}

/** The same without a listener: what is set of addresses and ports has no effect. Rejects likewise. */
export async function createServer(
  options: ServerOptions,
): Promise<Pick<Services, 'app' | 'close' | 'runtime'> & Pick<Server, 'cron'>> {
  await checkTools(options);
  const { app, runtime, control, close } = await openServices({ ...options, hasMetrics: true }, logOf(options));
  try {
    await control.start();
  } catch (error) {
    await close(0);
    throw error;
  }
  return { app, runtime, cron: control.cron, close };
}

async function checkTools({ config, tools = {} }: ServerOptions): Promise<void> {
  const missing = missingTools(tools, config.toolTenants);
  if (missing.length > 0) throw new ToolsError(`JAMJET_TOOL_TENANTS: there is no tool ${missing.join(', ')}`);
  await checkSidecar(config);
}

function logOf({ config, log, logTo }: ServerOptions): Logger {
  return log ?? pino({ level: config.logLevel }, logTo);
}

type Services = Awaited<ReturnType<typeof openServices>>;

/** Opens the services, behind a listener that answers probes meanwhile, and listens. */
async function openListening(options: ServicesOptions, log: Logger): Promise<Services> {
  const { bind: host, port, metrics } = options.config;
  const listenError = (cause: unknown, on = port): ListenError => {
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const reason = inUse ? 'the port is in use' : String((cause as Error).message);
    return new ListenError(`cannot listen on ${host} port ${on}: ${reason}`, { cause });
  };
  // A free port is not known to anyone before the server has started.
  const starting =
    port === 0
      ? null
      : await listenWhileStarting({ host, port }).catch((cause: unknown) => {
          throw listenError(cause);
        });
  let services: Services;
  try {
    services = await openServices({ ...options, hasMetrics: true }, log);
  } finally {
    await starting?.close();
  }
  try {
    await services.control.start();
    await services.app.listen({ host, port, backlog: BACKLOG });
  } catch (cause) {
    await services.close(0);
    throw listenError(cause);
  }
  try {
    const url = await services.metrics?.start();
    if (url != null) log.info({ url }, 'metrics');
    return services;
  } catch (cause) {
    await services.close(0);
    throw listenError(cause, metrics.port ?? port);
  }
}

/** Where spans go; null = nowhere. */
function tracingSettings({ tracing }: Config): TracingSettings | null {
  if (tracing !== null && 'problems' in tracing) throw new ConfigError(tracing.problems);
  return tracing;
}

/** Rejects if the model sidecar does not answer: every model node would fail. */
async function checkSidecar({ models: { sidecarUrl } }: Config): Promise<void> {
  if (sidecarUrl === undefined) return;
  const { sidecarProblem } = await import('../executors/model/sidecar.ts');
  const problem = await sidecarProblem(sidecarUrl);
  if (problem !== null) throw new ConfigError([`JAMJET_MODEL_SEAM_URL: the model sidecar is not ready: ${problem}`]);
}

/** The models that the tenant's policy allows; empty = all. */
async function modelAllowlist(store: Store, tenantId: string): Promise<readonly string[]> {
  const policy = JSON.parse((await store.tenants.find(tenantId))?.policy ?? '{}') as { readonly model_allowlist?: unknown };
  const { model_allowlist: allowed = [] } = policy;
  if (Array.isArray(allowed) && allowed.every((glob) => typeof glob === 'string')) return allowed as readonly string[];
  throw new TypeError(`model_allowlist in the policy of tenant ${tenantId} is not a list of texts`);
}

export interface Embedded {
  readonly runtime: ServerRuntime;
  /** The REST API without a socket: answers as a server on the same database would answer an operator. */
  readonly fetch: NonNullable<ClientOptions['fetch']>;
  /** What `event: delta` and `event: progress` of a server say of an execution: replies of `fetch` are no streams. */
  live(id: string, signal: AbortSignal): AsyncIterable<LiveUpdate>;
  close(graceMs?: number): Promise<void>;
}

export interface EmbeddedOptions {
  readonly config: Config;
  readonly tools?: Tools;
  /** Actor of all requests: the user of this process. */
  readonly actor: string;
  /** Selects the stored executions to run besides those started here. Others are left unchanged. */
  readonly shouldProcess: (executionId: string) => boolean;
  /** Default true; see `ServerRuntimeOptions.startsWork`. */
  readonly startsWork?: boolean;
  /** Those of the user's own file, commands included; the operator's come first. */
  readonly mcpServers?: McpServers;
  readonly log?: Logger;
}

/** Opens the runtime in this process, without a server. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const log = options.log ?? pino({ level: 'silent' });
  // Tools come from the user's own file, so restrictions by tenant do not apply.
  const config = { ...options.config, toolTenants: null };
  const { app, runtime, close } = await openServices({ ...options, config, auth: 'off' }, log);
  await app.ready();
  async function* live(id: string, signal: AbortSignal): AsyncGenerator<LiveUpdate> {
    for await (const { executionId, nodeId, ...update } of runtime.live('default', id, signal)) {
      const { activation, attempt } = update;
      const shown = 'index' in update ? { index: update.index, text: update.text } : update.progress;
      yield { execution_id: executionId, node_id: nodeId, activation, attempt, ...shown };
    }
  }
  return { runtime, fetch: embeddedFetch(app), live, close };
}

interface ServicesOptions extends Omit<ServerOptions, 'log'> {
  readonly actor?: string;
  readonly mcpServers?: McpServers;
  readonly shouldProcess?: (executionId: string) => boolean;
  readonly startsWork?: boolean;
  /** Called when another runtime has taken the lock of the database. */
  readonly onLostLock?: () => void;
  readonly isStopping?: () => boolean;
  /** Is it a server, whose metrics can be read? */
  readonly hasMetrics?: boolean;
}

async function openServices(options: ServicesOptions, log: Logger) {
  const { config, tools, auth, shouldProcess, actor, mcpServers } = options;
  const operator = await readOperatorFile(config.operatorFile);
  const script = config.modelScript === null ? {} : { script: await readModelScript(config.modelScript) };
  const models = { ...config.models, names: { ...operator.models, ...config.models.names }, ...script };
  const id = randomRuntimeId();
  const onError = (error: unknown): void => {
    log.error({ err: error }, 'background task failed');
    if (error instanceof StoreError && error.code === 'store_locked') options.onLostLock?.();
  };
  const settings = tracingSettings(config);
  const store = await openDatabase(config, { writer: id, onError });
  let runtime: ServerRuntime;
  let tracing: Tracing | null;
  try {
    tracing =
      settings === null
        ? null
        : await Tracing.create({
            settings,
            store,
            version: VERSION,
            instanceId: id,
            onProblem: (problem) => log.warn({ problem }, 'spans could not be sent'),
            onError,
          });
    runtime = await createRuntime({
      id,
      store,
      stepLimit: config.stepLimit,
      artifactThresholdBytes: config.artifactThresholdBytes,
      vars: (tenantId) => varsOf(config.workflowVars, tenantId),
      mcpServers: (tenantId) => ({ ...mcpServers, ...mcpServersOf(operator, tenantId) }),
      allowPrivateAddresses: config.allowPrivateAddresses,
      models,
      ...(config.secretKey === null ? {} : { secretKey: config.secretKey }),
      agents: agentDirectory(store.agents, { onError }),
      ...(config.coordinatorUrl === null ? {} : { coordinatorUrl: config.coordinatorUrl }),
      modelAllowlist: (tenantId) => modelAllowlist(store, tenantId),
      onError,
      isToolGranted: (tenantId, tool) => isGranted(tool, config.toolTenants, tenantId),
      logger: log,
      onToolLog: ({ level, message, fields, executionId, nodeId, attempt, tenantId }) =>
        log[level]({ ...fields, execution: executionId, node: nodeId, attempt, tenant: tenantId }, message),
      ...(tools === undefined || Object.keys(tools).length === 0
        ? {}
        : {
            tools: (tenantId: string) => toolsOf(tools, config.toolTenants, tenantId),
            toolNames: Object.keys(tools),
          }),
      ...(tracing === null ? {} : { tracing }),
      ...(shouldProcess === undefined ? {} : { shouldProcess }),
      ...(options.startsWork === undefined ? {} : { startsWork: options.startsWork }),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const outbound = new Outbound({ allowPrivateAddresses: config.allowPrivateAddresses });
  const control = new ControlPlane({ store, runtime, outbound, clock: systemClock, onError });
  const metrics =
    options.hasMetrics === true
      ? new Metrics({ runtime, store, nowMs: Date.now, onError, tenantLabel: config.metrics.tenantLabel })
      : null;
  const metricsListener = metrics === null ? null : new MetricsListener({ config, metrics, onError });
  const app = buildApp({
    runtime,
    store,
    control,
    config,
    auth,
    log,
    ...(metrics === null ? {} : { metrics }),
    ...(actor === undefined ? {} : { actor }),
    ...(options.isStopping === undefined ? {} : { isStopping: options.isStopping }),
  });
  const close = async (graceMs = DEFAULT_GRACE_MS): Promise<void> => {
    metricsListener?.close();
    const shutdown = Promise.all([runtime.close(graceMs), control.close(), app.close()]);
    const timeout = setTimeout(graceMs + SHUTDOWN_SLACK_MS, true, { ref: false });
    try {
      if (await Promise.race([shutdown.then(() => false), timeout])) {
        onError(new Error('shutdown timed out: the database does not respond; in-flight work resumes on the next start'));
        shutdown.catch(onError);
      }
    } finally {
      await tracing?.close();
      await store.close();
    }
  };
  return { app, runtime, control, metrics: metricsListener, close };
}
