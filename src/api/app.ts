import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyRequest, LogController } from 'fastify';
import type { Bindings } from 'pino';
import { type Cooperative, runToEnd } from '../../machines/cooperative.ts';
import type { Json } from '../../machines/json.ts';
import type { Store } from '../../store/port/store.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import type { Config } from '../server/config.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { TokenAuthenticator } from './auth/authenticator.ts';
import { guard } from './auth/guard.ts';
import { TokenMonitor } from './auth/token-monitor.ts';
import { stripSdkPrefix } from './compat/sdk-paths.ts';
import { PublishedWorkflows } from './discovery/published.ts';
import { closeAfterInFlight } from './graceful-close.ts';
import { answerHead } from './head-requests.ts';
import { describedRoutes } from './openapi/routes.ts';
import { refuseEarly } from './overload/early-refusal.ts';
import { LoadShedder } from './overload/load-shedder.ts';
import { backlogMs, logShedding } from './overload/shed.ts';
import { handleError, handleMalformedHttp } from './replies/error-handler.ts';
import { LazyLogger, type LogLevels, logRequests, requestId } from './replies/request-log.ts';
import { RequestTurns } from './request-turns.ts';
import { MAX_BYTES_AT_ONCE, parseBody } from './requests/body.ts';
import { decodeBody } from './requests/body-checks.ts';
import { validationError, validatorCompiler } from './requests/validation.ts';
import { reportUnknownFields } from './requests/warnings.ts';
import { isYaml, YamlBody } from './requests/yaml.ts';
import { a2aRoutes } from './routes/a2a.ts';
import { agentRoutes } from './routes/agents.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { auditRoutes } from './routes/audit.ts';
import { consoleRoutes } from './routes/console.ts';
import { coordinatorRoutes } from './routes/coordinator.ts';
import { cronRoutes } from './routes/cron.ts';
import { diagramRoutes } from './routes/diagrams.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { eventStreamRoutes } from './routes/event-stream.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { federationRoutes } from './routes/federation.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { identityRoutes } from './routes/identity.ts';
import { interventionRoutes } from './routes/interventions.ts';
import { javaSdkRoutes } from './routes/java-sdk.ts';
import { jobRoutes } from './routes/jobs.ts';
import { keyedEventRoutes } from './routes/keyed-events.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { memoryRoutes } from './routes/memory.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { threadRoutes } from './routes/threads.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { updateRoutes } from './routes/updates.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workItemRoutes } from './routes/work-items.ts';
import { workerRoutes } from './routes/workers.ts';
import { workflowFindingRoutes } from './routes/workflow-findings.ts';
import { workflowRoutes } from './routes/workflows.ts';
import type { Api, Services } from './services.ts';
import { EventStreams } from './streams/event-streams.ts';
import { LongPolls } from './streams/long-polls.ts';

const BODY_LIMIT_BYTES = 2 * 1024 * 1024;
/** Workflow ids may have 256 characters, each up to nine bytes long when percent-encoded. */
const MAX_PARAM_LENGTH = 4 * 1024;

/** Time for a request to arrive; the reply may take longer. */
const REQUEST_TIMEOUT_MS = 60_000;

/** A logger of pino's. */
export type ApiLog = FastifyBaseLogger & LogLevels;

export interface AppOptions {
  readonly runtime: ServerRuntime;
  readonly store: Store;
  readonly control: ControlPlane;
  readonly config: Config;
  /** What `GET /metrics` shows; absent = there are none. */
  readonly metrics?: Metrics;
  /** `off`: every caller is an operator of tenant `default`. */
  readonly auth: 'on' | 'off';
  /** Name of the actor when authentication is off. Default `anonymous`. */
  readonly actor?: string;
  /** Default: nothing is logged. */
  readonly log?: ApiLog;
  /** Milliseconds since the epoch. Default: the system clock. */
  readonly nowMs?: () => number;
  /** Whether the server is about to close. Default: never. */
  readonly isStopping?: () => boolean;
}

/** Builds the REST API, which does not listen yet. Closing it ends long polls at once and waits for other requests. */
export function buildApp(options: AppOptions): Api {
  const nowMs = options.nowMs ?? Date.now;
  const tokens = new TokenAuthenticator(options.store, nowMs);
  const unsubscribe = options.runtime.onControl((change) => tokens.onControlChange(change?.type ?? null));
  const tokenMonitor = new TokenMonitor(tokens, nowMs);
  const services: Services = {
    runtime: options.runtime,
    store: options.store,
    control: options.control,
    config: options.config,
    tokens,
    polls: new LongPolls(tokenMonitor),
    streams: new EventStreams(options.control.live.keepAlive, tokenMonitor, options.runtime.slices),
    shedder: new LoadShedder({
      maxWaitMs: options.config.maxWaitMs,
      backlogMs: (tenantId) => backlogMs(options.runtime, tenantId, nowMs()),
      nowMs: () => performance.now(),
      onChange: (change) => logShedding(options.log, change),
    }),
    metrics: options.metrics ?? null,
    published: new PublishedWorkflows(options.store),
    nowMs,
    isStopping: options.isStopping ?? (() => false),
  };
  const log: FastifyBaseLogger | undefined = options.log;
  const app = Fastify({
    ...(log === undefined ? { logger: false } : { loggerInstance: log, childLoggerFactory: lazyLogger }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    genReqId: requestId,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    rewriteUrl: stripSdkPrefix,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // The guard refuses requests during shutdown, with an error in the documented form.
    return503OnClosing: false,
    schemaErrorFormatter: validationError,
    frameworkErrors: handleError,
    // The guard refuses requests without a Host header; Node's own refusal has an empty body.
    http: { requireHostHeader: false },
    clientErrorHandler: handleMalformedHttp,
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    exposeHeadRoutes: false,
    // There are no plugins, but each route would have a timer.
    pluginTimeout: 0,
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  const turns = new RequestTurns(app, options.runtime.slices);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes: Buffer, done) =>
    bytes.length > MAX_BYTES_AT_ONCE
      ? turns.takeInPieces(request, bodyOf(request, bytes), done)
      : turns.take(request, () => runToEnd(bodyOf(request, bytes)), done),
  );
  app.addHook('onClose', async () => unsubscribe());
  logRequests(app, options.log ?? null);
  closeAfterInFlight(app);
  guard(app, services, options.auth, options.actor);
  reportUnknownFields(app);
  refuseEarly(app, services, options.auth);
  app.setErrorHandler(handleError);
  answerHead(app);
  const routes = describedRoutes(app);
  addRoutes(app, services, options.auth);
  mcpRoutes(app, services);
  consoleRoutes(app);
  documentationRoutes(app, routes);
  return app;
}

/** In the place of Fastify's compilers, whose loading takes as long as that of Fastify. */
function noCompiler(): never {
  throw new Error('internal error: Fastify compiles a schema');
}

function* bodyOf({ routeOptions, contentType }: FastifyRequest, bytes: Buffer): Cooperative<Json | YamlBody | undefined> {
  const { acceptsYaml = false } = routeOptions.config;
  if (acceptsYaml && isYaml(contentType)) return new YamlBody(decodeBody(bytes));
  return yield* parseBody(bytes, acceptsYaml ? 'for YAML, send content-type: application/yaml' : undefined);
}

function lazyLogger(parent: FastifyBaseLogger, bindings: Bindings): FastifyBaseLogger {
  return new LazyLogger(parent, bindings);
}

function addRoutes(app: Api, services: Services, auth: 'on' | 'off'): void {
  healthRoutes(app, services);
  metricsRoutes(app, services);
  workflowRoutes(app, services);
  javaSdkRoutes(app, services);
  executionRoutes(app, services);
  diagramRoutes(app, services);
  workflowFindingRoutes(app, services);
  interventionRoutes(app, services);
  historyRoutes(app, services);
  eventRoutes(app, services);
  keyedEventRoutes(app, services);
  coordinatorRoutes(app, services);
  nodeRoutes(app, services);
  eventStreamRoutes(app, services);
  webhookRoutes(app, services);
  approvalRoutes(app, services);
  updateRoutes(app, services);
  workItemRoutes(app, services);
  workerRoutes(app, services);
  identityRoutes(app, services);
  signInRoutes(app, services, auth);
  tokenRoutes(app, services);
  auditRoutes(app, services);
  cronRoutes(app, services);
  jobRoutes(app, services);
  artifactRoutes(app, services);
  memoryRoutes(app, services);
  threadRoutes(app, services);
  agentRoutes(app, services);
  federationRoutes(app, services);
  a2aRoutes(app, services);
  tenantRoutes(app, services);
}
