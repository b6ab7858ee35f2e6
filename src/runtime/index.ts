import type { Message } from '../../machines/messages.ts';
import type { ExecutionRow } from '../../store/port/executions.ts';
import { Outbound } from '../executors/outbound/index.ts';
import { ChildStartQueue } from './activities/children/child-start-queue.ts';
import { Children } from './activities/children/children.ts';
import { Descendants } from './activities/children/descendants.ts';
import { ExternalWork } from './activities/external/external-work.ts';
import { WorkPayloads } from './activities/external/work-payloads.ts';
import { ActivityPool } from './activities/local/activity-pool.ts';
import { LocalActivities } from './activities/local/local-activities.ts';
import { OrphanRecovery } from './activities/recovery/orphan-recovery.ts';
import { RecoveryScheduler } from './activities/recovery/recovery-scheduler.ts';
import type { Actor } from './actor.ts';
import { systemClock } from './clock.ts';
import { ClockSkewMonitor } from './cluster/clock-skew.ts';
import { Membership } from './cluster/membership.ts';
import { Notifications } from './cluster/notifications.ts';
import { Ownership } from './cluster/ownership.ts';
import { DurableRuntime, type Parts } from './durable-runtime.ts';
import { PostCommit } from './engine/commit/post-commit.ts';
import { Engine } from './engine/engine.ts';
import type { MessageOutcome, Preconditions } from './engine/envelope.ts';
import { CorruptExecutions } from './engine/loading/corrupt-executions.ts';
import { type CachedExecution, createExecutionCache } from './engine/loading/execution-cache.ts';
import { currentExecution, type LoadDeps, loadExecution } from './engine/loading/load-execution.ts';
import { WorkflowCache } from './engine/loading/workflow-cache.ts';
import { Heartbeats } from './heartbeats.ts';
import { HistoryAtSequence } from './history/at-sequence.ts';
import { Forker } from './history/fork/fork.ts';
import { ReplayLimiter } from './history/replay-limiter.ts';
import { Snapshots } from './history/snapshots.ts';
import { createIds, randomRuntimeId } from './ids.ts';
import { Intake } from './intake.ts';
import { Interventions } from './interventions.ts';
import { Lifecycle } from './lifecycle.ts';
import { DEFAULTS, type RuntimeOptions } from './options.ts';
import { Queries } from './queries/queries.ts';
import { WakeupSignal } from './queries/wakeup-signal.ts';
import { Quotas } from './quotas/quotas.ts';
import { retryForever } from './retry-forever.ts';
import { TimeSlices } from './scheduling/time-slices.ts';
import { Subscribers } from './subscribers.ts';
import { TimerQueue } from './timers/timer-queue.ts';
import type { Runtime } from './types/runtime.ts';

/**
 * Starts a runtime on a store: takes its lock, adopts what an earlier one left, and works until `close`. Until then it keeps the process alive,
 * since timers may fall due at any time. Rejects with `StoreError`; its code is `store_locked` when another runtime works on the database.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const parts = assemble(options);
  await parts.lifetime.open();
  return new DurableRuntime(parts);
}

/** Parts that need each other reach what comes later through a function: nothing runs before all of them are there. */
function assemble(options: RuntimeOptions): Parts {
  const { store } = options;
  const runtimeId = options.id ?? randomRuntimeId();
  const clock = options.clock ?? systemClock;
  const stepLimit = options.stepLimit ?? DEFAULTS.stepLimit;
  const ids = createIds(options.randomBytes);
  const hot = createExecutionCache(options.cacheBytes ?? DEFAULTS.cacheBytes);
  const feed = new WakeupSignal();
  const origin: Actor = { actorId: runtimeId, actorType: 'system', onBehalfOf: null, request: null };
  const outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
  const slices = new TimeSlices(clock);
  const offer = { toolsOf: perTenant(options.tools), varsOf: perTenant(options.vars), outbound };
  const programs = new WorkflowCache(store, offer, slices);

  const stopped = (): boolean => lifetime.stopped;
  /** One error may reach several parts, e.g. a corrupt execution's all that ask for it: it is told once. */
  const told = new WeakSet<object>();
  const failed = (error: unknown): void => {
    if (error instanceof Error && told.has(error)) return;
    if (error instanceof Error) told.add(error);
    try {
      options.onError?.(error);
    } catch (problem) {
      // Whoever is told must not be able to stop what tells him.
      process.emitWarning(`onError threw: ${String(problem)}`);
    }
  };
  const listeners = new Subscribers(failed);
  const corrupt = new CorruptExecutions({ clock, failed });
  const startedHere = new Set<string>();
  const adopts = (executionId: string): boolean =>
    options.shouldProcess === undefined || startedHere.has(executionId) || options.shouldProcess(executionId);
  const again = <T>(attempt: () => Promise<T>): Promise<T | null> => retryForever({ clock, stopped, failed }, attempt);
  const deliver = (executionId: string, message: Message, conditions?: Preconditions): Promise<MessageOutcome | null> => {
    const draft = { actor: origin, ...(conditions === undefined ? {} : { preconditions: conditions }) };
    return again(() => loop.send(executionId, message, draft));
  };

  const peers = new Membership({
    store,
    clock,
    runtimeId,
    looked: (gone) => {
      if (stopped()) return;
      takeover.onMembershipRefreshed(gone);
      // What only they knew would fall due.
      if (gone.length > 0) void wakeups.poll();
    },
    wasAway: () => {
      if (!stopped()) notices.resync();
    },
    // Also of the commit that is under way nobody will be told.
    joined: () => void loop.betweenCommits(async () => store.notifyGap()).catch(failed),
  });
  const isMine = (executionId: string): boolean => peers.isResponsible(executionId);
  const limiter = new ReplayLimiter(slices);
  const lookFor = (owner: string): Promise<void> => peers.confirm(owner);
  const loading: LoadDeps = { store, programs, slices, runtimeId, stepLimit, corrupt, confirmOwner: lookFor };
  const load = (row: ExecutionRow): Promise<CachedExecution> => loadExecution(loading, row);

  const loop: Engine = new Engine({
    ...loading,
    hot,
    clock,
    ids,
    artifactThresholdBytes: options.artifactThresholdBytes ?? DEFAULTS.artifactThresholdBytes,
    isAlone: () => peers.isAlone,
    reserve: () => dispatch.reserve(),
    ownerAfter: (id, owner) => succession.ownerAfter(id, owner),
    committed: (commit) => aftermath.run(commit),
    ended: (id, error) => corrupt.reportEnded(id, error),
    failed,
    uncertain: () => ownWork.reconcileAll(),
    storeFailed: () => sightings.checkStore(),
  });
  const quotas: Quotas = new Quotas({
    store,
    clock,
    betweenCommits: (work) => loop.betweenCommits(work),
    onReactivated: (tenantId) => {
      dispatch.reopen(tenantId);
      childStarts.reopen(tenantId);
      external.wakeAll();
    },
    onFreed: (tenantId) => {
      if (tenantId === null) childStarts.onCapacityFreedEverywhere();
      else childStarts.onCapacityFreed(tenantId);
    },
    onError: failed,
  });
  const reads: Queries = new Queries({
    store,
    clock,
    slices,
    feed,
    hot: (id) => hot.get(id),
    load,
    stateIn: (tenantId, id, sequence) => points.stateAfterEvent(tenantId, id, sequence),
    stopped,
    failed,
  });
  const points: HistoryAtSequence = new HistoryAtSequence({ store, programs, reads, limiter });

  const dispatch: ActivityPool = new ActivityPool({
    clock,
    slices,
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    maxWaitMs: options.maxSlotWaitMs ?? DEFAULTS.maxSlotWaitMs,
    isOpen: (tenantId) => quotas.isKnownActive(tenantId),
    claim: (id, visit) => ownWork.claim(id, visit),
    report: (id, visit, message) => void ownWork.report(id, visit, message),
  });
  const read = (id: string): Promise<CachedExecution | null> => currentExecution(hot, loading, id);
  const children = new Children({
    store,
    programs,
    clock,
    ids,
    loop,
    slices,
    origin,
    descendants: new Descendants(store),
    read,
    deliver,
    isMine,
    insist: again,
    failed,
  });
  const childStarts: ChildStartQueue = new ChildStartQueue({
    clock,
    maxWaitMs: options.maxSlotWaitMs ?? DEFAULTS.maxSlotWaitMs,
    isOpen: (tenantId) => quotas.isKnownActive(tenantId),
    admit: (tenantId, name) => quotas.admitChild(tenantId, name),
    release: (tenantId, name) => quotas.release(tenantId, name),
    read,
    spawn: (parent, visit) => children.spawn(parent, visit),
    waits: (parentId, visit) => {
      const waiting = { childId: '', childWorkflowId: '', change: { status: 'waiting' } } as const;
      return loop.send(parentId, { type: 'child', ...visit, ...waiting }, { actor: origin });
    },
    expired: (parentId, visit, error) => void deliver(parentId, { type: 'fail', ...visit, error, retryable: true }),
    insist: again,
  });
  const wakeups = new TimerQueue({ store, clock, shouldProcess: adopts, isMine, deliver, insist: again });
  const external: ExternalWork = new ExternalWork({
    store,
    loop,
    clock,
    ids,
    origin,
    payloads: new WorkPayloads({ slices, read }),
    dueAt: (atMs) => wakeups.scheduleAt(atMs),
    isActive: (tenantId) => quotas.isActive(tenantId),
  });

  const clockWatch = new ClockSkewMonitor({ store, clock, failed });
  const seen = async (): Promise<void> => {
    await peers.refresh();
    // One that was brought along means to be another.
    if (options.clock === undefined) await clockWatch.check();
  };
  const sightings = new Heartbeats({ store, clock, runtimeId, seen, failed });
  const recovery = new OrphanRecovery({
    store,
    runtimeId,
    isAlive: (id) => peers.isAlive(id),
    shouldProcess: adopts,
    stopped,
    read: load,
    programOf: ({ tenantId, revision }) => programs.load(tenantId, revision),
    deliver: async (id, message, conditions) => {
      await deliver(id, message, conditions);
    },
    failed,
  });
  const hasTools = Object.keys(options.tools ?? {}).length > 0;
  const takeover = new RecoveryScheduler({ recovery, clock, isMine, hasTools, stopped, failed });
  const ownWork: LocalActivities = new LocalActivities({
    store,
    runtimeId,
    dispatch,
    known: (id) => hot.peek(id),
    load,
    spawn: (parent, visit, seq) => childStarts.enqueue(parent, visit, seq),
    adopt: (owned, attempt, lost) => void recovery.recover(owned, lost, attempt).catch(failed),
    deliver,
    insist: again,
    stopped,
    failed,
  });
  const succession = new Ownership({ runtimeId, clock, peers, dispatch, ownWork, stopped });
  const notices = new Notifications({
    hot,
    feed,
    quotas,
    external,
    children,
    wakeups,
    peers,
    ownWork,
    takeover,
    listeners,
    failed,
  });
  const aftermath = new PostCommit({
    runtimeId,
    quotas,
    feed,
    listeners,
    wakeups,
    ownWork,
    dispatch,
    external,
    children,
    childStarts,
    recovery,
    began: (id) => {
      if (options.shouldProcess !== undefined) startedHere.add(id);
    },
    failed,
    diagnosed: (id, problem) => options.onDiagnostic?.(id, problem),
  });
  const lifetime: Lifecycle = new Lifecycle({
    store,
    clock,
    runtimeId,
    loop,
    feed,
    external,
    dispatch,
    quotas,
    children,
    childStarts,
    wakeups,
    sightings,
    takeover,
    succession,
    notices,
    failed,
  });

  return {
    id: runtimeId,
    store,
    clock,
    ids,
    hot,
    listeners,
    loop,
    quotas,
    reads,
    points,
    snapshots: new Snapshots({ store, programs, reads, limiter }),
    intake: new Intake({ store, slices, programs, loop, reads, quotas, clock, ids }),
    interventions: new Interventions({ store, loop, reads, slices, quotas, runtimeId, stepLimit }),
    forks: new Forker({ store, programs, loop, history: points, slices, quotas, clock, ids }),
    dispatch,
    external,
    sightings,
    clockWatch,
    corrupt,
    lifetime,
    maxPending: options.maxPending ?? DEFAULTS.maxPending,
  };
}

/** What is given to every tenant, or asked for by tenant. */
function perTenant<T extends object>(given: T | ((tenantId: string) => T) | undefined): (tenantId: string) => T {
  if (typeof given === 'function') return given;
  return () => given ?? ({} as T);
}
