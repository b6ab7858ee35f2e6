import type { Message } from '../../machines/messages.ts';
import type { ExecutionRow } from '../../store/rows.ts';
import { Outbound } from '../executors/outbound.ts';
import { Aftermath } from './aftermath.ts';
import { ChildStarts } from './child-starts.ts';
import { Children } from './children.ts';
import { systemClock } from './clock.ts';
import { CorruptExecutions } from './corrupt-executions.ts';
import { Descendants } from './descendants.ts';
import { Dispatch } from './dispatch.ts';
import { DurableRuntime, type Parts } from './durable-runtime.ts';
import type { Conditions, Outcome } from './envelope.ts';
import { ExternalWork } from './external-work.ts';
import { Feed } from './feed.ts';
import { ClockWatch } from './fleet/clock-watch.ts';
import { Notices } from './fleet/notices.ts';
import { OwnWork } from './fleet/own-work.ts';
import { Peers } from './fleet/peers.ts';
import { Succession } from './fleet/succession.ts';
import { Takeover } from './fleet/takeover.ts';
import { Forks } from './history/forks.ts';
import { Points } from './history/points.ts';
import { ReplayLimiter } from './history/replay-limiter.ts';
import { Snapshots } from './history/snapshots.ts';
import { type Hot, hotCache } from './hot.ts';
import { createIds, runtimeName } from './ids.ts';
import { insist } from './insist.ts';
import { Intake } from './intake.ts';
import { Interventions } from './interventions.ts';
import { Lifetime } from './lifetime.ts';
import { Listeners } from './listeners.ts';
import { currentHot, type LoadOptions, loadHot } from './load.ts';
import { Loop } from './loop.ts';
import { DEFAULTS, type RuntimeOptions } from './options.ts';
import type { Origin } from './origin.ts';
import { Programs } from './programs.ts';
import { Quotas } from './quotas/quotas.ts';
import { Reads } from './reads.ts';
import { Recovery } from './recovery.ts';
import { Sightings } from './sightings.ts';
import { TimeSlices } from './time-slices.ts';
import type { Runtime } from './types.ts';
import { Wakeups } from './wakeups.ts';
import { WorkPayloads } from './work-payloads.ts';

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
  const runtimeId = options.id ?? runtimeName();
  const clock = options.clock ?? systemClock;
  const stepLimit = options.stepLimit ?? DEFAULTS.stepLimit;
  const ids = createIds(options.randomBytes);
  const hot = hotCache(options.hotBytes ?? DEFAULTS.hotBytes);
  const feed = new Feed();
  const origin: Origin = { actorId: runtimeId, actorType: 'system', onBehalfOf: null, request: null };
  const outbound = new Outbound({ allowPrivateAddresses: options.allowPrivateAddresses ?? false });
  const slices = new TimeSlices(clock);
  const offer = { toolsOf: perTenant(options.tools), varsOf: perTenant(options.vars), outbound };
  const programs = new Programs(store, offer, slices);

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
  const listeners = new Listeners(failed);
  const corrupt = new CorruptExecutions({ clock, failed });
  const startedHere = new Set<string>();
  const adopts = (executionId: string): boolean =>
    options.adopts === undefined || startedHere.has(executionId) || options.adopts(executionId);
  const again = <T>(attempt: () => Promise<T>): Promise<T | null> => insist({ clock, stopped, failed }, attempt);
  const deliver = (executionId: string, message: Message, conditions?: Conditions): Promise<Outcome | null> => {
    const draft = { origin, ...(conditions === undefined ? {} : { conditions }) };
    return again(() => loop.send(executionId, message, draft));
  };

  const peers = new Peers({
    store,
    clock,
    runtimeId,
    looked: (gone) => {
      if (stopped()) return;
      takeover.looked(gone);
      // What only they knew would fall due.
      if (gone.length > 0) void wakeups.ring();
    },
    wasAway: () => {
      if (!stopped()) notices.lookAgain();
    },
    // Also of the commit that is under way nobody will be told.
    joined: () => void loop.betweenCommits(async () => store.announceGap()).catch(failed),
  });
  const isMine = (executionId: string): boolean => peers.isMine(executionId);
  const limiter = new ReplayLimiter(slices);
  const lookFor = (owner: string): Promise<void> => peers.lookFor(owner);
  const loading: LoadOptions = { store, programs, slices, runtimeId, stepLimit, corrupt, lookFor };
  const load = (row: ExecutionRow): Promise<Hot> => loadHot(loading, row);

  const loop: Loop = new Loop({
    ...loading,
    hot,
    clock,
    ids,
    artifactThresholdBytes: options.artifactThresholdBytes ?? DEFAULTS.artifactThresholdBytes,
    isAlone: () => peers.isAlone,
    reserve: () => dispatch.reserve(),
    ownerAfter: (id, owner) => succession.ownerAfter(id, owner),
    committed: (commit) => aftermath.of(commit),
    ended: (id, error) => corrupt.ended(id, error),
    failed,
    uncertain: () => ownWork.takeUpAll(),
    storeFailed: () => sightings.suspect(),
  });
  const quotas: Quotas = new Quotas({
    store,
    clock,
    betweenCommits: (work) => loop.betweenCommits(work),
    opened: (tenantId) => {
      dispatch.reopen(tenantId);
      childStarts.reopen(tenantId);
      external.wakeAll();
    },
    freed: (tenantId) => {
      if (tenantId === null) childStarts.roomEverywhere();
      else childStarts.room(tenantId);
    },
    failed,
  });
  const reads: Reads = new Reads({
    store,
    clock,
    slices,
    feed,
    hot: (id) => hot.get(id),
    load,
    stateIn: (tenantId, id, sequence) => points.stateIn(tenantId, id, sequence),
    stopped,
    failed,
  });
  const points: Points = new Points({ store, programs, reads, limiter });

  const dispatch: Dispatch = new Dispatch({
    clock,
    slices,
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    maxWaitMs: options.maxWaitMs ?? DEFAULTS.maxWaitMs,
    isOpen: (tenantId) => quotas.isOpen(tenantId),
    claim: (id, visit) => ownWork.claim(id, visit),
    report: (id, visit, message) => void ownWork.report(id, visit, message),
  });
  const read = (id: string): Promise<Hot | null> => currentHot(hot, loading, id);
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
  const childStarts: ChildStarts = new ChildStarts({
    clock,
    maxWaitMs: options.maxWaitMs ?? DEFAULTS.maxWaitMs,
    isOpen: (tenantId) => quotas.isOpen(tenantId),
    admit: (tenantId, name) => quotas.admitChild(tenantId, name),
    release: (tenantId, name) => quotas.release(tenantId, name),
    read,
    spawn: (parent, visit) => children.spawn(parent, visit),
    waits: (parentId, visit) => {
      const waiting = { childId: '', childWorkflowId: '', change: { status: 'waiting' } } as const;
      return loop.send(parentId, { type: 'child', ...visit, ...waiting }, { origin });
    },
    expired: (parentId, visit, error) => void deliver(parentId, { type: 'fail', ...visit, error, retryable: true }),
    insist: again,
  });
  const wakeups = new Wakeups({ store, clock, adopts, isMine, deliver, insist: again });
  const external: ExternalWork = new ExternalWork({
    store,
    loop,
    clock,
    ids,
    origin,
    payloads: new WorkPayloads({ slices, read }),
    dueAt: (atMs) => wakeups.noLaterThan(atMs),
    isActive: (tenantId) => quotas.isActive(tenantId),
  });

  const clockWatch = new ClockWatch({ store, clock, failed });
  const seen = async (): Promise<void> => {
    await peers.look();
    // One that was brought along means to be another.
    if (options.clock === undefined) await clockWatch.look();
  };
  const sightings = new Sightings({ store, clock, runtimeId, seen, failed });
  const recovery = new Recovery({
    store,
    runtimeId,
    isAlive: (id) => peers.isAlive(id),
    adopts,
    stopped,
    read: load,
    programOf: ({ tenantId, revision }) => programs.load(tenantId, revision),
    deliver: async (id, message, conditions) => {
      await deliver(id, message, conditions);
    },
    failed,
  });
  const hasTools = Object.keys(options.tools ?? {}).length > 0;
  const takeover = new Takeover({ recovery, clock, isMine, hasTools, stopped, failed });
  const ownWork: OwnWork = new OwnWork({
    store,
    runtimeId,
    dispatch,
    known: (id) => hot.peek(id),
    load,
    spawn: (parent, visit, seq) => childStarts.add(parent, visit, seq),
    adopt: (owned, attempt, lost) => void recovery.adopt(owned, lost, attempt).catch(failed),
    deliver,
    insist: again,
    stopped,
    failed,
  });
  const succession = new Succession({ runtimeId, clock, peers, dispatch, ownWork, stopped });
  const notices = new Notices({
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
  const aftermath = new Aftermath({
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
      if (options.adopts !== undefined) startedHere.add(id);
    },
    failed,
    diagnosed: (id, problem) => options.onDiagnostic?.(id, problem),
  });
  const lifetime: Lifetime = new Lifetime({
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
    forks: new Forks({ store, programs, loop, points, slices, quotas, clock, ids }),
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
