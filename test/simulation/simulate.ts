import { TERMINAL } from '../../machines/run.ts';
import { RuntimeError } from '../../src/runtime/errors.ts';
import { StoreError } from '../../store/port/errors.ts';
import { CapacityCheck } from './check/capacity.ts';
import { checkChildLifetimes } from './check/child-lifetimes.ts';
import { checkFinalState, checkProgress } from './check/final-checks.ts';
import { areIdle, checkLeftovers } from './check/leftovers.ts';
import { CLIENT_PREFIX, OnlineChecker } from './check/online-checker.ts';
import { OverdueCheck } from './check/overdue.ts';
import { Probes } from './check/probes.ts';
import { SuspensionCheck } from './check/suspension.ts';
import { SimulatedAgents } from './environment/agents.ts';
import { Clients, callerOf } from './environment/clients.ts';
import { Damage } from './environment/damage.ts';
import { Finisher } from './environment/finishers.ts';
import { Network, START_MS } from './environment/network.ts';
import { FORK_VERSION, Operations } from './environment/operations.ts';
import { randomStream } from './environment/random-streams.ts';
import { RuntimeProcess } from './environment/runtime-process.ts';
import { Scheduler } from './environment/scheduler.ts';
import { SetBack } from './environment/set-back.ts';
import { Suspensions } from './environment/suspensions.ts';
import { SimulatedTools } from './environment/tools.ts';
import { Trace } from './environment/trace.ts';
import { WorkFreezes } from './environment/work-freezes.ts';
import { ExternalWorkers } from './environment/workers.ts';
import type { Fault, Plan } from './plan.ts';
import { isOpen } from './store/commits.ts';
import { MemoryDatabase } from './store/memory-database.ts';

/** Time for all executions to end after the faults. */
const SETTLE_MS = 400_000;
/** Time for the remaining executions to end after they are cancelled. */
const CANCEL_MS = 60_000;
const CANCEL_EVERY_MS = 5_000;
/** Time for the processes to end what they have in progress. */
const IDLE_MS = 60_000;
const MAX_ENTRIES = 250_000;
const ENDED = new Set<string>(TERMINAL);

export interface SimulationResult {
  readonly violations: readonly string[];
  /** SHA-256 of the trace. */
  readonly digest: string;
  /** Lines of the trace, if it is kept. */
  readonly trace: readonly string[];
  readonly executions: number;
  readonly events: number;
}

/** Runs a plan on the real runtime and checks the result. The same plan always gives the same trace. */
export async function simulate(plan: Plan, keepTrace = false): Promise<SimulationResult> {
  const trace = new Trace(keepTrace);
  const scheduler = new Scheduler(plan.seed, trace, START_MS);
  const checker = new OnlineChecker(
    () => scheduler.nowMs,
    (violation) => trace.add(`${scheduler.nowMs} VIOLATION ${violation}`),
  );
  const network = new Network(plan, scheduler);
  const database: MemoryDatabase = new MemoryDatabase(plan.shared, {
    applied: (writes) => {
      for (const { id, progress: head, events } of writes)
        trace.add(
          `  ${id} ${head.seq} ${head.status}: ${events.map(({ type, nodeId }) => (nodeId === null ? type : `${type} ${nodeId}`)).join(', ')}`,
        );
      checker.onCommit(writes);
      suspension.onCommit(writes, scheduler.nowMs);
    },
    claimed: (items) => suspension.onClaim(items, scheduler.nowMs),
    notify: network.notify,
  });
  checker.watch(database);
  const { maxLive, tenantPolicy } = plan.options;
  if (tenantPolicy !== null) database.tables.policy = JSON.stringify(tenantPolicy);
  if (maxLive !== null) database.tables.limits = JSON.stringify({ max_concurrent_executions: maxLive });
  const freezes = new WorkFreezes(plan, scheduler);
  const tools = new SimulatedTools(plan, scheduler, checker, freezes);
  const agents = new SimulatedAgents(plan.seed, scheduler);
  const processes: readonly RuntimeProcess[] = plan.processes.map(
    (_, processIndex) =>
      new RuntimeProcess({
        plan,
        index: processIndex,
        scheduler,
        network,
        database,
        trace,
        onUp: () => clients.onProcessUp(),
        toolsOf: (incarnation) => tools.of(incarnation),
        agentsOf: (incarnation) => agents.of(incarnation),
        onError: ({ id }, error) => {
          if (!isRetried(error) && !damage.explains(error)) checker.addViolation(`${id} reports: ${textOf(error)}`);
        },
      }),
  );
  const damage: Damage = new Damage(database, processes);
  const clients: Clients = new Clients(processes, scheduler, checker, (error) => damage.explainsReply(error));
  const suspensions = new Suspensions(plan, clients, database);
  const suspension = new SuspensionCheck(plan, suspensions, database, checker);
  const operations = new Operations(plan, clients, checker, suspensions, damage);
  const setBack = new SetBack(plan, database, network, checker, operations, processes);
  const workers = new ExternalWorkers(plan, clients, checker);
  const finishers = new Finisher(plan, clients, operations, database);
  const capacity = new CapacityCheck(plan, scheduler, database, processes, checker);
  const probes = new Probes(clients, processes, database, checker);
  const checked = { plan, database, operations, calls: tools.calls, checker, damage };
  let faultsOver = false;

  scheduler.onError((error) => checker.addViolation(`a callback throws: ${textOf(error)}`));
  const onUnhandledRejection = (error: unknown): void => checker.addViolation(`unhandled rejection: ${textOf(error)}`);
  process.on('unhandledRejection', onUnhandledRejection);
  try {
    for (const each of processes) each.start();
    void registerWorkflows(plan, clients).then(() => {
      for (const operation of plan.operations) {
        const delayMs = START_MS + operation.atMs - scheduler.nowMs;
        scheduler.schedule(delayMs, null, `operation ${operation.id} ${operation.kind}`, () => operations.perform(operation));
      }
      workers.start();
    });
    for (const fault of plan.faults) scheduleFault(fault, { scheduler, network, processes, damage, setBack });
    scheduler.schedule(plan.faultsEndAtMs, null, 'calm', () => {
      faultsOver = true;
      for (const part of [network, tools, workers, freezes, agents]) part.faultsOver = true;
      for (const each of processes) each.setClock();
      damage.end();
      capacity.start(true);
      workers.startHelper();
      finishers.start();
    });
    capacity.start(false);
    if (plan.silence) new OverdueCheck(scheduler, database, processes, checker).start();
    const executions = () => [...database.tables.executions.values()];
    const allEnded = (): boolean =>
      executions().every(({ row }) => ENDED.has(row.status)) &&
      database.tables.inbox.size === 0 &&
      // The leases of work beside workflows that have ended expire.
      ![...database.tables.items.values()].some(isOpen) &&
      [...database.tables.erasures.values()].every(({ erasedAtMs }) => erasedAtMs !== null) &&
      operations.areFinished;
    const until = (ms: number) => () => scheduler.nowMs >= START_MS + plan.faultsEndAtMs + ms;
    const outOfTime = until(SETTLE_MS);
    if (!(await scheduler.runUntil(() => (faultsOver && allEnded()) || outOfTime(), MAX_ENTRIES)))
      checker.addViolation('the simulation does not end');
    else if (!allEnded()) {
      checkProgress(checked, scheduler.nowMs);
      // Again and again, since clients may still have requests that start others.
      const cancelAll = (round: number): void => {
        for (const { row } of executions())
          if (!ENDED.has(row.status)) void operations.cancel(`${CLIENT_PREFIX}canceller ${row.id} ${round}`, row.id);
        scheduler.schedule(CANCEL_EVERY_MS, null, `cancels again ${round}`, () => cancelAll(round + 1));
      };
      cancelAll(1);
      await scheduler.runUntil(() => allEnded() || until(SETTLE_MS + CANCEL_MS)(), MAX_ENTRIES);
      if (!allEnded()) checker.addViolation('executions do not end after they are cancelled');
    }
    const areUp = (): boolean => processes.every(({ isUp }) => isUp);
    await scheduler.runUntil(() => areUp() || until(SETTLE_MS + CANCEL_MS)(), MAX_ENTRIES);
    probes.start();
    await scheduler.runUntil(() => probes.areFinished, MAX_ENTRIES);
    const idleByMs = scheduler.nowMs + IDLE_MS;
    await scheduler.runUntil(() => areIdle(processes) || scheduler.nowMs >= idleByMs, MAX_ENTRIES);
    for (const problem of checkChildLifetimes(
      database.tables,
      (id) => checker.firstEndMs(id),
      // A process that is frozen or down when the faults end makes messages late.
      Math.max(START_MS + plan.faultsEndAtMs, ...processes.map(({ healthySinceMs }) => healthySinceMs)),
      scheduler.nowMs,
    ))
      checker.addViolation(problem);
    for (const problem of checkLeftovers(database, processes)) checker.addViolation(problem);
    await checkFinalState(checked);
  } finally {
    for (const { incarnation } of processes) incarnation?.end();
    process.off('unhandledRejection', onUnhandledRejection);
  }
  const logs = [...database.tables.executions.values()];
  return {
    violations: checker.violations,
    digest: trace.digest(),
    trace: trace.lines,
    executions: logs.length,
    events: logs.reduce((sum, { events }) => sum + events.length, 0),
  };
}

/** Executions start with the version that is registered last; the other one, for forks, differs in its name alone. */
async function registerWorkflows({ seed, workflows, operations }: Plan, clients: Clients): Promise<void> {
  const versions = operations.some((operation) => operation.kind === 'fork' && operation.another) ? [FORK_VERSION, '1'] : ['1'];
  for (const { id, document } of [...workflows].reverse())
    for (const version of versions) {
      const name = `client registers ${id} ${version}`;
      await clients.askUntilAnswered(randomStream(seed, name), name, (runtime) =>
        runtime.register(callerOf(name), { ...document, version }),
      );
    }
}

/** What has faults. */
interface Faulty {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly processes: readonly RuntimeProcess[];
  readonly damage: Damage;
  readonly setBack: SetBack;
}

/** Schedules a fault that happens at a time; others are triggered by a process, or looked up while they last. */
function scheduleFault(fault: Fault, { scheduler, network, processes, damage, setBack }: Faulty): void {
  const target = processes[fault.process];
  const at = (ms: number, run: () => void): void => {
    scheduler.schedule(ms, null, `fault ${fault.id} ${fault.kind} ${fault.process}`, run);
  };
  if (fault.kind === 'crash') at(fault.atMs, () => target?.crash(fault.downMs));
  else if (fault.kind === 'stop') at(fault.atMs, () => target?.stop(fault.graceMs, fault.downMs));
  else if (fault.kind === 'freeze') at(fault.atMs, () => target?.freeze(fault.forMs));
  else if (fault.kind === 'clock jump') at(fault.atMs, () => target?.jumpClock(fault.byMs));
  else if (fault.kind === 'damage') at(fault.atMs, () => damage.begin(fault));
  else if (fault.kind === 'set back') {
    at(fault.atMs - fault.lostMs, () => setBack.backUp());
    at(fault.atMs, () => setBack.restore(fault));
  } else if (fault.kind === 'partition') at(fault.atMs + fault.forMs, () => network.reunites(fault));
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The runtime tries again, for as long as it runs: the store is unreachable, or another runtime has always committed first. */
function isRetried(error: unknown): boolean {
  return error instanceof StoreError || (error instanceof RuntimeError && error.code === 'overloaded');
}
