import { NO_AGENTS } from '../executors/a2a/directory.ts';
import { RemoteAgents } from '../executors/a2a/remote-agents.ts';
import { McpConnections } from '../executors/mcp/connections.ts';
import { TokenExchange } from '../executors/oauth/delegation.ts';
import { Outbound } from '../executors/outbound/index.ts';
import { ChildStartQueue } from './activities/children/child-start-queue.ts';
import { Children } from './activities/children/children.ts';
import { Descendants } from './activities/children/descendants.ts';
import { Inbox } from './activities/children/inbox.ts';
import { ExternalProgress } from './activities/external/external-progress.ts';
import { LEASE_MS, WorkClaims } from './activities/external/work-claims.ts';
import { WorkPayloads } from './activities/external/work-payloads.ts';
import { WorkResults } from './activities/external/work-results.ts';
import { WorkerRegistry } from './activities/external/worker-registry.ts';
import { ActivityPool } from './activities/local/activity-pool.ts';
import type { ActivityTask } from './activities/local/activity-task.ts';
import { BudgetReservations } from './activities/local/budget-reservations.ts';
import { Releases } from './activities/local/releases.ts';
import { SlotReservations } from './activities/local/slot-reservations.ts';
import { Slots } from './activities/local/slots.ts';
import { StartedAttempts } from './activities/local/started-attempts.ts';
import { TaskRegistry } from './activities/local/task-registry.ts';
import { OrphanRecovery } from './activities/recovery/orphan-recovery.ts';
import { RecoveryScheduler } from './activities/recovery/recovery-scheduler.ts';
import { systemClock } from './clock.ts';
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
import { startCommand } from './commands/start.ts';
import { workerProtocol } from './commands/worker-protocol.ts';
import type { RuntimeContext } from './context.ts';
import { CommitGate } from './engine/commit/commit-gate.ts';
import { createDeliver, createReport } from './engine/deliver.ts';
import { Engine } from './engine/engine.ts';
import { CorruptExecutions } from './engine/loading/corrupt-executions.ts';
import { createExecutionCache } from './engine/loading/execution-cache.ts';
import { ExecutionLoader } from './engine/loading/execution-loader.ts';
import { WorkflowCache } from './engine/loading/workflow-cache.ts';
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
import { Quotas } from './quotas/quotas.ts';
import { UsageBounds } from './quotas/usage-bounds.ts';
import { CpuTime } from './scheduling/cpu-time.ts';
import { TimeSlices } from './scheduling/time-slices.ts';
import { SubjectTokens } from './subject-tokens/subject-tokens.ts';
import { commitSignal, onCommit, onControl, settledSignal } from './subscriptions.ts';
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
  const context = createContext(options, shutdown.signal);
  const core = createCore(context, options);
  const activities = createActivities(context, core, options);
  const { runtimeId, store, clock, ids, stopping } = context;
  const { cache, corrupt, engine, membership, quotas, workflows, loader } = core;

  const { texts } = activities.pool;
  const sharedTexts =
    membership === null || store.messages === null
      ? null
      : new SharedTexts({
          ...context,
          messages: store.messages,
          texts,
          isAlone: () => membership.isAlone,
          runsHere: (id) => core.tasks.of(id).size > 0,
        });
  const clockSkew = new ClockSkewMonitor(context);
  const cluster =
    membership === null
      ? null
      : // A clock that was given, e.g. by a simulation, is meant to differ from the database's.
        new Cluster({
          ...context,
          membership,
          texts: sharedTexts,
          clockSkew: options.clock === undefined ? clockSkew : null,
          reconciler: new ActivityReconciler({ ...context, ...core, ...activities }),
        });
  const heartbeats = new Heartbeats({
    ...context,
    tools: toolNamesOf(options),
    afterHeartbeat: async () => cluster?.onHeartbeat(),
  });
  const timers = new TimerQueue({ ...context, ...core, scope: activities.scope });
  const eraser = new Eraser({ ...context, cache, loader, corrupt });
  const lifecycle = new Lifecycle({
    ...context,
    ...activities,
    shutdown,
    engine,
    quotas,
    heartbeats,
    timers,
    eraser,
    cluster,
    recovery: activities.recoveryScheduler,
    connections: core.mcpConnections,
    subjectTokens: core.subjectTokens,
  });

  const limiter = new ReplayLimiter(context.slices);
  const executions = new ExecutionQueries({ ...context, cache, loader, settledExecutions: settledSignal(context) });
  const history = new HistoryAtSequence({ store, workflows, executions, limiter });
  const snapshots = new Snapshots({ store, workflows, executions, limiter });
  const transitions = new TransitionCounter({ store, workflows, executions, limiter });
  const eventLog = new EventQueries({ ...context, executions, history, commits: commitSignal(context) });
  const approvalInbox = new ApprovalInbox({ ...context, executions, eventLog });
  const registry = new WorkerRegistry({
    ...context,
    toolsOf: (tenantId) => core.workflows.toolsOf(tenantId),
    isGranted: options.isToolGranted ?? (() => true),
  });

  const admission = new Admission({
    maxPending: options.maxPending ?? DEFAULTS.maxPending,
    stopping,
    pending: () => engine.pending,
    attempts: (tenantId) => activities.pool.sizeOf(tenantId),
  });
  const stepLimit = options.stepLimit ?? DEFAULTS.stepLimit;
  const commands: CommandContext = {
    ...context,
    admission,
    engine,
    executions,
    quotas,
    workflows,
    stepLimit,
    subjectTokens: core.subjectTokens,
  };
  const forker = new Forker({ ...commands, history });

  await lifecycle.open();
  return {
    id: runtimeId,
    tenants: quotas,
    slices: context.slices,
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
    cancel: cancelCommand(commands),
    pause: pauseCommand(commands),
    resume: resumeCommand(commands),
    retry: retryCommand(commands),
    fork: forkCommand(commands, forker),
    enqueue: enqueueCommand(commands),
    ...workerProtocol(commands, { ...activities, registry }),

    execution: executions.execution.bind(executions),
    executions: executions.executions.bind(executions),
    executionCounts: executions.counts.bind(executions),
    searchIds: executions.searchIds.bind(executions),
    errorGroups: executions.errorGroups.bind(executions),
    node: executions.node.bind(executions),
    settled: executions.settled.bind(executions),
    answered: executions.answered.bind(executions),
    inputNeed: executions.inputNeed.bind(executions),
    approvals: executions.approvals.bind(executions),
    approvalInbox: approvalInbox.page.bind(approvalInbox),
    pendingApprovals: approvalInbox.countPending.bind(approvalInbox),
    events: eventLog.events.bind(eventLog),
    subscribe: eventLog.subscribe.bind(eventLog),
    deltas: (tenantId, id, signal) => textsOnly((sharedTexts ?? texts).read(tenantId, id, signal)),
    live: (tenantId, id, signal) => (sharedTexts ?? texts).read(tenantId, id, signal),
    stateAt: history.stateAt.bind(history),
    replay: history.replay.bind(history),
    snapshots: snapshots.page.bind(snapshots),
    transitionCounts: transitions.count.bind(transitions),
    memory: memoryCommands(commands, core.memory),
    workers: registry.workers.bind(registry),
    waitingWork: registry.waitingWork.bind(registry),
    inProcess: activities.pool.inProcess.bind(activities.pool),
    idWatermark: () => ids.watermark(clock.nowMs()),

    onCommit: (subscriber) => onCommit(context, subscriber),
    onControl: (subscriber) => onControl(context, subscriber),
    on: (type, handler) => context.events.on(type, handler),
    load: () => ({
      pendingMessages: engine.pending,
      inProcess: activities.pool.inProcess(),
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

/** The engine, with what it works with. */
function createCore(context: RuntimeContext, options: ServerRuntimeOptions) {
  const { store, runtimeId, stopping, events } = context;
  const gate = new CommitGate();
  const quotas = new Quotas({ ...context, gate });
  const isActive = (tenantId: string): boolean => quotas.isKnownActive(tenantId);
  const slots = new Slots<ActivityTask>(
    options.concurrency ?? DEFAULTS.concurrency,
    options.startsWork === false ? () => false : isActive,
  );
  const tasks = new TaskRegistry();
  const traces = new Traces(options.tracing ?? null);
  options.tracing?.observe(events);
  const reservations = new SlotReservations({ slots, stopping, events });
  const membership = store.shared ? createMembership(context, gate) : null;
  const placement: Placement =
    membership === null ? singleProcess(runtimeId) : new Ownership({ runtimeId, membership, tasks, stopping });

  const stepLimit = options.stepLimit ?? DEFAULTS.stepLimit;
  const cache = createExecutionCache(options.cacheBytes ?? DEFAULTS.cacheBytes, events);
  const corrupt = new CorruptExecutions(context);
  const outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
  const secretKey = options.secretKey === undefined ? null : Buffer.from(options.secretKey);
  const subjectTokens = new SubjectTokens({ ...context, secretKey });
  const mcpConnections = new McpConnections({ serversOf: perTenant(options.mcpServers), outbound });
  const memory = new BuiltInMemory({ ...context, mayStore: (tenantId) => quotas.mayStore(tenantId) });
  const provisions = {
    toolsOf: perTenant(options.tools),
    varsOf: perTenant(options.vars),
    outbound,
    models: { settings: options.models ?? {}, allowlistOf: options.modelAllowlist ?? (async () => []) },
    mcpConnections,
    agents: new RemoteAgents({ outbound, directory: options.agents ?? NO_AGENTS }),
    coordinatorUrl: options.coordinatorUrl,
    memory,
    memoryConnectorsOf: perTenant(options.memory),
    tokenExchange: new TokenExchange(outbound, (tenantId, id) => subjectTokens.find(tenantId, id)),
  };
  const usageBounds = new UsageBounds({
    limitsOf: (tenantId) => quotas.limitsOf(tenantId),
    prices: provisions.models.settings.prices,
  });
  const workflows = new WorkflowCache(store, provisions, context.slices);
  const confirmOwner = (owner: string): Promise<void> => placement.confirm(owner);
  const loader = new ExecutionLoader({ ...context, cache, workflows, stepLimit, corrupt, confirmOwner });
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
    reserve: () => reservations.reserve(),
  });
  const deliver = createDeliver(context, engine);
  const report = createReport(context, engine);
  if (options.logger !== undefined) logCommits(events, options.logger);
  events.on('committed', ({ after, diagnostics }) => {
    for (const problem of diagnostics) options.onDiagnostic?.(after.id, problem);
  });
  return {
    quotas,
    slots,
    tasks,
    traces,
    membership,
    placement,
    cache,
    corrupt,
    workflows,
    usageBounds,
    loader,
    engine,
    deliver,
    report,
    mcpConnections,
    memory,
    subjectTokens,
  };
}

type Core = ReturnType<typeof createCore>;

/** The work that steps ask for: in process, by external workers, in child executions; and its recovery. */
function createActivities(context: RuntimeContext, core: Core, options: ServerRuntimeOptions) {
  const { store, events } = context;
  const maxWaitMs = options.maxSlotWaitMs ?? DEFAULTS.maxSlotWaitMs;
  const concurrency = options.concurrency ?? DEFAULTS.concurrency;
  const started = new StartedAttempts(store.shared);
  const scope = new ExecutionScope(events, options.shouldProcess);
  const isActive = (tenantId: string): boolean => core.quotas.isKnownActive(tenantId);
  const budgets = new BudgetReservations({
    ...context,
    models: options.models ?? {},
    tasks: core.tasks,
    limitsOf: (tenantId) => core.quotas.limitsOf(tenantId),
  });
  const pool = new ActivityPool({
    ...context,
    ...core,
    budgets,
    started,
    concurrency,
    maxWaitMs,
    isActive,
    onToolLog: options.onToolLog,
  });
  const releases = new Releases(context);
  const children = new Children({ ...context, ...core, descendants: new Descendants(store) });
  const childStarts = new ChildStartQueue({ ...context, ...core, started, children, maxWaitMs });
  const inbox = new Inbox({ ...context, ...core });
  const claims = new WorkClaims({ ...context, ...core, payloads: new WorkPayloads({ ...context, ...core }) });
  const progress = new ExternalProgress({ ...context, ...core, texts: pool.texts, goneMs: LEASE_MS });
  const results = new WorkResults({ ...context, ...core, progress });
  const recovery = new OrphanRecovery({ ...context, ...core, scope });
  const hasTools = typeof options.tools === 'function' || Object.keys(options.tools ?? {}).length > 0;
  const recoveryScheduler = new RecoveryScheduler({ ...context, ...core, recovery, hasTools });
  return { scope, started, pool, releases, childStarts, inbox, claims, results, recovery, recoveryScheduler };
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
