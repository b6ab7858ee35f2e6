import { TERMINAL } from '../../machines/run.ts';
import { StoreError } from '../../store/errors.ts';
import { judge, judgeProgress } from './judge/judge.ts';
import { Ledger } from './judge/ledger.ts';
import type { Fault, Plan } from './plan.ts';
import { MemoryDatabase } from './store/memory-database.ts';
import { Clients, callerOf } from './world/clients.ts';
import { Finishers } from './world/finishers.ts';
import { Network, START_MS } from './world/network.ts';
import { Operations } from './world/operations.ts';
import { RuntimeProcess } from './world/runtime-process.ts';
import { Scheduler } from './world/scheduler.ts';
import { stream } from './world/streams.ts';
import { SimulatedTools } from './world/tools.ts';
import { Trace } from './world/trace.ts';
import { WorkFreezes } from './world/work-freezes.ts';
import { ExternalWorkers } from './world/workers.ts';

/** How long everybody has to come to an end once nothing goes wrong any more. */
const CALM_MS = 400_000;
/** The same once whatever is left has been cancelled. */
const CANCELLED_MS = 60_000;
const MOST_ENTRIES = 250_000;
const ENDED = new Set<string>(TERMINAL);

export interface SimulationResult {
  readonly violations: readonly string[];
  /** SHA-256 of the trace. */
  readonly digest: string;
  /** Line by line, if it is kept. */
  readonly trace: readonly string[];
  readonly executions: number;
  readonly events: number;
}

/** Plays a plan on the real runtime to its end, and judges it. The same plan always gives the same trace. */
export async function simulate(plan: Plan, keepTrace = false): Promise<SimulationResult> {
  const trace = new Trace(keepTrace);
  const scheduler = new Scheduler(plan.seed, trace, START_MS);
  const ledger = new Ledger((violation) => trace.add(`${scheduler.nowMs} VIOLATION ${violation}`));
  const network = new Network(plan, scheduler);
  const database: MemoryDatabase = new MemoryDatabase(plan.shared, {
    applied: (writes) => {
      for (const { id, head, events } of writes)
        trace.add(
          `  ${id} ${head.seq} ${head.status}: ${events.map(({ type, nodeId }) => (nodeId === null ? type : `${type} ${nodeId}`)).join(', ')}`,
        );
      ledger.applied(writes);
    },
    notice: network.notify,
  });
  ledger.watch(database);
  const freezes = new WorkFreezes(plan, scheduler);
  const tools = new SimulatedTools(plan, scheduler, ledger, freezes);
  const processes: readonly RuntimeProcess[] = plan.processes.map(
    (_, place) =>
      new RuntimeProcess({
        plan,
        place,
        scheduler,
        network,
        database,
        trace,
        isUp: () => clients.wake(),
        toolsOf: (incarnation) => tools.of(incarnation),
        failed: ({ id }, error) => {
          if (!(error instanceof StoreError)) ledger.violated(`${id} reports: ${textOf(error)}`);
        },
      }),
  );
  const clients: Clients = new Clients(processes, scheduler, (text) => ledger.violated(text));
  const operations = new Operations(plan, clients, ledger);
  const workers = new ExternalWorkers(plan, clients, ledger);
  const finishers = new Finishers(plan, clients, operations, database);
  const judged = { database, operations, calls: tools.calls, ledger };
  let calm = false;

  scheduler.onFault((error) => ledger.violated(`a callback throws: ${textOf(error)}`));
  const died = (error: unknown): void => ledger.violated(`a promise is rejected and nobody hears of it: ${textOf(error)}`);
  process.on('unhandledRejection', died);
  try {
    for (const each of processes) each.start();
    void setUp(plan, clients).then(() => {
      for (const operation of plan.operations) {
        const delayMs = START_MS + operation.atMs - scheduler.nowMs;
        scheduler.schedule(delayMs, null, `operation ${operation.id} ${operation.kind}`, () => operations.perform(operation));
      }
      workers.start();
    });
    for (const fault of plan.faults) schedule(fault, scheduler, processes);
    scheduler.schedule(plan.calmMs, null, 'calm', () => {
      calm = true;
      for (const part of [network, tools, workers, freezes]) part.calm = true;
      workers.help();
      finishers.start();
    });
    const executions = () => [...database.tables.executions.values()];
    const atRest = (): boolean =>
      executions().every(({ row }) => ENDED.has(row.status)) && database.tables.inbox.size === 0 && operations.areDone;
    const until = (ms: number) => () => scheduler.nowMs >= START_MS + plan.calmMs + ms;
    const outOfTime = until(CALM_MS);
    if (!(await scheduler.runUntil(() => (calm && atRest()) || outOfTime(), MOST_ENTRIES))) ledger.violated('it goes on and on');
    else if (!atRest()) {
      judgeProgress(judged, scheduler.nowMs);
      for (const { row } of executions())
        if (!ENDED.has(row.status)) void operations.cancel(`client canceller ${row.id}`, row.id);
      await scheduler.runUntil(() => atRest() || until(CALM_MS + CANCELLED_MS)(), MOST_ENTRIES);
      if (!atRest()) ledger.violated('it does not come to an end even when everything is cancelled');
    }
    await judge(judged);
  } finally {
    for (const { incarnation } of processes) incarnation?.end();
    process.off('unhandledRejection', died);
  }
  const logs = [...database.tables.executions.values()];
  return {
    violations: ledger.violations,
    digest: trace.digest(),
    trace: trace.lines,
    executions: logs.length,
    events: logs.reduce((sum, { events }) => sum + events.length, 0),
  };
}

async function setUp({ seed, workflows }: Plan, clients: Clients): Promise<void> {
  for (const { id, document } of [...workflows].reverse()) {
    const name = `client registers ${id}`;
    await clients.insist(stream(seed, name), name, (runtime) => runtime.register(callerOf(name), document));
  }
}

function schedule(fault: Fault, scheduler: Scheduler, processes: readonly RuntimeProcess[]): void {
  if (!isTimed(fault)) return;
  const place = processes[fault.process];
  scheduler.schedule(fault.atMs, null, `fault ${fault.id} ${fault.kind} ${fault.process}`, () => {
    if (fault.kind === 'crash') place?.crash(fault.downMs);
    else if (fault.kind === 'stop') place?.stop(fault.graceMs, fault.downMs);
    else place?.freeze(fault.forMs);
  });
}

type TimedFault = Extract<Fault, { kind: 'crash' | 'stop' | 'freeze' }>;

/** The others come about by what a process does, or last for a while. */
function isTimed(fault: Fault): fault is TimedFault {
  return ['crash', 'stop', 'freeze'].includes(fault.kind);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
