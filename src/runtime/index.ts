import { setMaxListeners } from 'node:events';
import { NO_AGENTS } from '../executors/a2a/directory.ts';
import { RemoteAgents } from '../executors/a2a/remote-agents.ts';
import { LiveFunctions } from '../executors/durable/live-functions.ts';
import { McpConnections } from '../executors/mcp/connections.ts';
import { TokenExchange } from '../executors/oauth/delegation.ts';
import { Outbound } from '../executors/outbound/index.ts';
import { ChildStartQueue } from './activities/children/child-start-queue.ts';
import { Children } from './activities/children/children.ts';
import { Descendants } from './activities/children/descendants.ts';
import { Inbox } from './activities/children/inbox.ts';
import { ExternalProgress } from './activities/external/external-progress.ts';
import { LEASE_MS, WorkClaims } from './activities/external/work-claims.ts';
import { WorkJournals } from './activities/external/work-journals.ts';
import { WorkPayloads } from './activities/external/work-payloads.ts';
import { WorkResults } from './activities/external/work-results.ts';
import { WorkerRegistry } from './activities/external/worker-registry.ts';
import { ActivityPool } from './activities/local/activity-pool.ts';
import type { ActivityTask } from './activities/local/activity-task.ts';
import { BudgetReservations } from './activities/local/budget-reservations.ts';
import { Releases } from './activities/local/releases.ts';
import { SlotReservations, Slots } from './activities/local/slots.ts';
import { StartedAttempts } from './activities/local/started-attempts.ts';
import { TaskRegistry } from './activities/local/task-registry.ts';
import { OrphanRecovery } from './activities/recovery/orphan-recovery.ts';
import { RecoveryScheduler } from './activities/recovery/recovery-scheduler.ts';
import { CpuTime, systemClock } from './clock.ts';
import { ActivityReconciler } from './cluster/activity-reconciler.ts';
import { ClockSkewMonitor } from './cluster/clock-skew.ts';
import { Cluster } from './cluster/cluster.ts';
import { Membership } from './cluster/membership.ts';
import { Ownership } from './cluster/ownership.ts';
import { SharedTexts } from './cluster/texts/shared-texts.ts';
import { Admission } from './commands/admission.ts';
import { approveCommand } from './commands/approve.ts';
import { cancelCommand } from './commands/cancel.ts';
import type { CommandContext } from './commands/command.ts';
import { enqueueCommand } from './commands/enqueue.ts';
import { Forker } from './commands/fork/forker.ts';
import { forkCommand } from './commands/fork/index.ts';
import { memoryCommands } from './commands/memory.ts';
import { pauseCommand } from './commands/pause.ts';
import { registerCommand } from './commands/register.ts';
import { resumeCommand } from './commands/resume.ts';
import { retryCommand } from './commands/retry.ts';
import { sendEventCommand } from './commands/send-event.ts';
import { sendEventByKeyCommand } from './commands/send-event-by-key.ts';
import { sendUpdateCommand } from './commands/send-update.ts';
import { startCommand } from './commands/start.ts';
import { threadCommands } from './commands/threads.ts';
import { workerProtocol } from './commands/worker-protocol.ts';
import type { RuntimeContext } from './context.ts';
import { createEffects } from './effects.ts';
import { CommitGate } from './engine/commit/commit-gate.ts';
import { createDeliver, createReport } from './engine/deliver.ts';
import { Engine } from './engine/engine.ts';
import { CorruptExecutions } from './engine/loading/corrupt-executions.ts';
import { createExecutionCache } from './engine/loading/execution-cache.ts';
import { ExecutionLoader } from './engine/loading/execution-loader.ts';
import { type TenantProvisions, WorkflowCache } from './engine/loading/workflow-cache.ts';
import { Eraser } from './erasure/eraser.ts';
import { createErrorReporter } from './error-reporter.ts';
import { EventBus } from './events.ts';
import { logCommits } from './execution-log.ts';
import { ExecutionScope } from './execution-scope.ts';
import { Heartbeats } from './heartbeats.ts';
import { HistoryAtSequence } from './history/at-sequence.ts';
import { ReplayLimiter } from './history/replay-limiter.ts';
import { Snapshots } from './history/snapshots.ts';
import { TransitionCounter } from './history/transition-counts.ts';
import { createIds, randomRuntimeId } from './ids.ts';
import { Lifecycle } from './lifecycle.ts';
import { BuiltInMemory } from './memory/built-in.ts';
import { DEFAULT_GRACE_MS, DEFAULTS, type ServerRuntimeOptions } from './options.ts';
import { type Placement, singleProcess } from './placement.ts';
import { ApprovalInbox } from './queries/approval-inbox.ts';
import { EventQueries } from './queries/event-queries.ts';
import { ExecutionQueries } from './queries/execution-queries.ts';
import { UpdateQueries } from './queries/update-queries.ts';
import { Quotas } from './quotas/quotas.ts';
import { UsageBounds } from './quotas/usage-bounds.ts';
import { TimeSlices } from './scheduling/time-slices.ts';
import { SubjectTokens } from './subject-tokens/subject-tokens.ts';
import { executionSignal, onCommit, onControl } from './subscriptions.ts';
import { Threads } from './threads/threads.ts';
import { ThreadTurns } from './threads/turns.ts';
import { TimerQueue } from './timers/timer-queue.ts';
import { Traces } from './traces.ts';
import type { LiveUpdate, TextDelta } from './types/executions.ts';
import type { ServerRuntime } from './types/server-runtime.ts';

/**
 * Starts a runtime on a store: locks it, recovers what an earlier runtime left in progress, and works until `close`. Until then
 * it keeps the process alive, since timers may fall due at any time. Rejects with `StoreError`; its code is `store_locked` when
 * another runtime works on the database.
 */
export async function createRuntime(options: ServerRuntimeOptions): Promise<ServerRuntime> {
  const shutdown = new AbortController();
  // Everything that waits listens to it, such as each commit that is attempted again.
  setMaxListeners(0, shutdown.signal);
  const context = createContext(options, shutdown.signal);
  const { clock, events, ids, onError, runtimeId, slices, stopping, store } = context;
  options.tracing?.observe(events);
  if (options.logger !== undefined) logCommits(events, options.logger);
  events.on('committed', ({ after, diagnostics }) => {
    for (const problem of diagnostics) options.onDiagnostic?.(after.id, problem);
  });

  const gate = new CommitGate();
  const quotas = new Quotas({ ...context, gate });
  const provisions = createProvisions(context, options, quotas);
  const { engine, cache, corrupt, loader, workflows, placement, membership, slots, tasks, traces } = createEngine(
    context,
    options,
    { gate, quotas, provisions },
  );
  const deliver = createDeliver(context, engine);
  const report = createReport(context, engine);

  // The work that steps ask for: in process, in child executions, by external workers; and its recovery.
  const scope = new ExecutionScope(options.shouldProcess);
  const started = new StartedAttempts(store.shared);
  const isActive = (tenantId: string): boolean => quotas.isKnownActive(tenantId);
  const limitsOf = (tenantId: string): ReturnType<Quotas['limitsOf']> => quotas.limitsOf(tenantId);
  const maxWaitMs = options.maxSlotWaitMs ?? DEFAULTS.maxSlotWaitMs;
  const budgets = new BudgetReservations({ ...context, models: options.models ?? {}, tasks, limitsOf });
  const usageBounds = new UsageBounds({ limitsOf, prices: options.models?.prices });
  const pool = new ActivityPool({
    ...context,
    slots,
    tasks,
    started,
    traces,
    usageBounds,
    budgets,
    live: new LiveFunctions(options.liveFunctions ?? DEFAULTS.liveFunctions, clock),
    deliver,
    report,
    maxWaitMs,
    isActive,
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    onToolLog: options.onToolLog,
  });
  const { texts } = pool;
  const releases = new Releases(onError);
  const descendants = new Descendants(store);
  const children = new Children({ ...context, workflows, engine, deliver, descendants, traces });
  const childStarts = new ChildStartQueue({ ...context, engine, deliver, loader, quotas, started, children, maxWaitMs });
  const inbox = new Inbox({ ...context, loader, placement, deliver });
  const claims = new WorkClaims({ ...context, engine, loader, traces, quotas, payloads: new WorkPayloads({ slices }) });
  const progress = new ExternalProgress({ clock, loader, texts, goneMs: LEASE_MS });
  const results = new WorkResults({ ...context, engine, progress, usageBounds });
  const recovery = new OrphanRecovery({ ...context, placement, scope, loader, workflows, deliver });
  const hasTools = typeof options.tools === 'function' || Object.keys(options.tools ?? {}).length > 0;
  const recoveryScheduler = new RecoveryScheduler({ ...context, recovery, placement, hasTools });
  const timers = new TimerQueue({ ...context, scope, placement, deliver });
  const eraser = new Eraser({ ...context, cache, loader, corrupt });

  // Other runtimes on the database.
  const clockSkew = new ClockSkewMonitor(context);
  const sharedTexts =
    membership === null || store.messages === null
      ? null
      : new SharedTexts({
          ...context,
          messages: store.messages,
          texts,
          isAlone: () => membership.isAlone,
          runsHere: (id) => tasks.of(id).size > 0,
        });
  const reconciler = new ActivityReconciler({
    ...context,
    cache,
    loader,
    tasks,
    started,
    pool,
    childStarts,
    recovery,
    deliver,
  });
  const cluster =
    membership === null
      ? null
      : // A clock that was given, e.g. by a simulation, is meant to differ from the database's.
        new Cluster({
          ...context,
          membership,
          reconciler,
          texts: sharedTexts,
          clockSkew: options.clock === undefined ? clockSkew : null,
        });
  const heartbeats = new Heartbeats({
    ...context,
    tools: toolNamesOf(options),
    afterHeartbeat: async () => cluster?.onHeartbeat(),
  });

  // Readers.
  const commits = executionSignal(context);
  const settled = executionSignal(context);
  const limiter = new ReplayLimiter(slices);
  const executions = new ExecutionQueries({ ...context, cache, loader, settledExecutions: settled });
  const replays = { store, workflows, executions, limiter };
  const history = new HistoryAtSequence(replays);
  const snapshots = new Snapshots(replays);
  const transitions = new TransitionCounter(replays);
  const updates = new UpdateQueries({ ...context, executions, commits });
  const journals = new WorkJournals({ ...context, engine, loader, commits });
  const eventLog = new EventQueries({ ...context, executions, workflows, history, commits });
  const approvalInbox = new ApprovalInbox({ ...context, executions, eventLog });
  const isGranted = options.isToolGranted ?? (() => true);
  const registry = new WorkerRegistry({ ...context, toolsOf: (tenantId) => workflows.toolsOf(tenantId), isGranted });

  // Commands.
  const { memory, threads, subjectTokens } = provisions;
  const admission = new Admission({ maxPending: options.maxPending ?? DEFAULTS.maxPending, stopping, engine, pool });
  const stepLimit = stepLimitOf(options);
  const commands: CommandContext = { ...context, admission, engine, executions, quotas, workflows, stepLimit, subjectTokens };
  const forker = new Forker({ ...commands, history });

  events.on(
    'committed',
    createEffects({
      runtimeId,
      onError,
      quotas,
      subjectTokens,
      scope,
      budgets,
      pool,
      releases,
      childStarts,
      inbox,
      claims,
      progress,
      recovery,
      timers,
      eraser,
      commits,
      settled,
    }),
  );
  const lifecycle = new Lifecycle({
    ...context,
    shutdown,
    engine,
    pool,
    releases,
    quotas,
    inbox,
    timers,
    heartbeats,
    recovery: recoveryScheduler,
    eraser,
    cluster,
    connections: provisions.mcpConnections,
    subjectTokens,
  });
  await lifecycle.open();
  return {
    id: runtimeId,
    tenants: quotas,
    slices,
    get storeFault() {
      return heartbeats.fault;
    },
    get clockAheadMs() {
      return clockSkew.aheadMs;
    },
    get corruptExecutions() {
      return corrupt.count;
    },

    get pendingMessages() {
      return engine.pending;
    },
    get isOverloaded() {
      return admission.isFull;
    },

    register: registerCommand(commands, registry),
    start: startCommand(commands),
    approve: approveCommand(commands),
    sendEvent: sendEventCommand(commands),
    sendEventByKey: sendEventByKeyCommand(commands),
    sendUpdate: sendUpdateCommand(commands, updates),
    cancel: cancelCommand(commands),
    pause: pauseCommand(commands),
    resume: resumeCommand(commands),
    retry: retryCommand(commands),
    fork: forkCommand(commands, forker),
    enqueue: enqueueCommand(commands),
    ...workerProtocol(commands, { claims, results, journals, registry }),
    memory: memoryCommands(commands, memory),
    threads: threadCommands(commands, threads),

    ...methodsOf(executions, 'execution', 'executions', 'searchIds', 'errorGroups', 'node', 'approvals'),
    ...methodsOf(executions, 'settled', 'answered', 'inputNeed'),
    executionCounts: executions.counts.bind(executions),
    approvalInbox: approvalInbox.page.bind(approvalInbox),
    pendingApprovals: approvalInbox.countPending.bind(approvalInbox),
    ...methodsOf(updates, 'updateOutcome'),
    ...methodsOf(eventLog, 'events', 'subscribe'),
    deltas: (tenantId, id, signal) => textsOnly((sharedTexts ?? texts).read(tenantId, id, signal)),
    live: (tenantId, id, signal) => (sharedTexts ?? texts).read(tenantId, id, signal),
    ...methodsOf(history, 'stateAt', 'replay'),
    snapshots: snapshots.page.bind(snapshots),
    transitionCounts: transitions.count.bind(transitions),
    ...methodsOf(registry, 'workers', 'waitingWork'),
    ...methodsOf(pool, 'inProcess'),
    idWatermark: () => ids.watermark(clock.nowMs()),

    onCommit: (subscriber) => onCommit(events, subscriber),
    onControl: (subscriber) => onControl(events, subscriber),
    on: (type, handler) => events.on(type, handler),
    load: () => ({
      pendingMessages: engine.pending,
      inProcess: pool.inProcess(),
      executionCache: { executions: cache.size, bytes: cache.calculatedSize, ...engine.cacheUse },
    }),
    forget(executionIds) {
      for (const id of executionIds) cache.delete(id);
    },
    close: (graceMs = DEFAULT_GRACE_MS) => lifecycle.close(graceMs),
  };
}

function createContext(options: ServerRuntimeOptions, stopping: AbortSignal): RuntimeContext {
  const runtimeId = options.id ?? randomRuntimeId();
  const clock = options.clock ?? systemClock;
  const onError = createErrorReporter(options.onError);
  return {
    runtimeId,
    store: options.store,
    clock,
    ids: createIds(options.randomBytes),
    // A clock that was given, e.g. by a simulation, is the only source of time.
    slices: new TimeSlices(options.clock === undefined ? new CpuTime() : clock),
    events: new EventBus(onError),
    stopping,
    actor: { actorId: runtimeId, actorType: 'system', onBehalfOf: null, request: null },
    onError,
  };
}

/** What work in this process is done with: tools, models, memory, connections to others. */
function createProvisions(context: RuntimeContext, options: ServerRuntimeOptions, quotas: Quotas) {
  const outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
  const secretKey = options.secretKey === undefined ? null : Buffer.from(options.secretKey);
  const subjectTokens = new SubjectTokens({ ...context, secretKey });
  return {
    subjectTokens,
    toolsOf: perTenant(options.tools),
    varsOf: perTenant(options.vars),
    outbound,
    models: { settings: options.models ?? {}, allowlistOf: options.modelAllowlist ?? (async () => []) },
    mcpConnections: new McpConnections({ serversOf: perTenant(options.mcpServers), outbound }),
    agents: new RemoteAgents({ outbound, directory: options.agents ?? NO_AGENTS }),
    coordinatorUrl: options.coordinatorUrl,
    memory: new BuiltInMemory({ ...context, mayStore: (tenantId) => quotas.mayStore(tenantId) }),
    threads: new Threads({ ...context, mayStore: (tenantId) => quotas.mayStore(tenantId) }),
    threadTurns: new ThreadTurns(context.store),
    memoryConnectorsOf: perTenant(options.memory),
    tokenExchange: new TokenExchange(outbound, (tenantId, id) => subjectTokens.find(tenantId, id)),
  };
}

interface EngineNeeds {
  readonly gate: CommitGate;
  readonly quotas: Quotas;
  readonly provisions: TenantProvisions;
}

/** The engine, with what it steps and where. */
function createEngine(context: RuntimeContext, options: ServerRuntimeOptions, { gate, quotas, provisions }: EngineNeeds) {
  const { store, runtimeId, stopping, events, slices } = context;
  const slots = new Slots<ActivityTask>(
    options.concurrency ?? DEFAULTS.concurrency,
    (tenantId) => options.startsWork !== false && quotas.isKnownActive(tenantId),
  );
  const tasks = new TaskRegistry();
  const membership = store.shared ? createMembership(context, gate) : null;
  const placement: Placement =
    membership === null ? singleProcess(runtimeId) : new Ownership({ runtimeId, membership, tasks, stopping });
  const stepLimit = stepLimitOf(options);
  const cache = createExecutionCache(options.cacheBytes ?? DEFAULTS.cacheBytes, events);
  const corrupt = new CorruptExecutions(context);
  const workflows = new WorkflowCache(store, provisions, slices);
  const loader = new ExecutionLoader({ ...context, cache, workflows, stepLimit, corrupt, placement });
  const traces = new Traces(options.tracing ?? null);
  const engine = new Engine({
    ...context,
    cache,
    loader,
    corrupt,
    gate,
    placement,
    policies: quotas.policies,
    traces,
    stepLimit,
    artifactThresholdBytes: options.artifactThresholdBytes ?? DEFAULTS.artifactThresholdBytes,
    checkpointLogBytes: options.checkpointLogBytes ?? DEFAULTS.checkpointLogBytes,
    reservations: new SlotReservations({ slots, stopping, events }),
  });
  return { engine, cache, corrupt, loader, workflows, placement, membership, slots, tasks, traces };
}

function createMembership({ store, clock, runtimeId, events, stopping, onError }: RuntimeContext, gate: CommitGate): Membership {
  return new Membership({
    store,
    clock,
    runtimeId,
    onRefreshed: (gone) => {
      if (!stopping.aborted) events.emit('membershipRefreshed', { gone });
    },
    onMissedHeartbeats: () => {
      if (!stopping.aborted) events.emit('resync', null);
    },
    // Between commits, since the commit that is in progress is not notified either.
    onJoined: () => void gate.betweenCommits(async () => store.notifyGap()).catch(onError),
  });
}

function stepLimitOf({ stepLimit = DEFAULTS.stepLimit }: ServerRuntimeOptions): number {
  return stepLimit;
}

/** Methods that can be called without their object. */
function methodsOf<T extends object, K extends keyof T>(object: T, ...names: readonly K[]): Pick<T, K> {
  const methods = names.map((name) => [name, (object[name] as (...given: unknown[]) => unknown).bind(object)]);
  return Object.fromEntries(methods) as Pick<T, K>;
}

async function* textsOnly(updates: AsyncGenerator<LiveUpdate>): AsyncGenerator<TextDelta> {
  for await (const update of updates) if ('index' in update) yield update;
}

function toolNamesOf({ tools = {}, toolNames = [] }: ServerRuntimeOptions): readonly string[] {
  return typeof tools === 'function' ? toolNames : Object.keys(tools);
}

/** Turns one value for all tenants into a function of the tenant. */
function perTenant<T extends object>(given: T | ((tenantId: string) => T) | undefined): (tenantId: string) => T {
  if (typeof given === 'function') return given;
  return () => given ?? ({} as T);
}
