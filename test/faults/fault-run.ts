import { setMaxListeners } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import { checkByCommands, checkLists, checkReplays } from './check/commands.ts';
import { checkStreams, checkWebhooks } from './check/deliveries.ts';
import { dumpExecution, type FinalState, readFinalState } from './check/final-state.ts';
import { checkLogs } from './check/logs.ts';
import { checkMessages } from './check/messages.ts';
import { checkOutcomes } from './check/outcomes.ts';
import { checkCalls, checkWork } from './check/work.ts';
import type { Cluster } from './cluster/cluster.ts';
import { openPostgresCluster } from './cluster/postgres.ts';
import { openSqliteCluster } from './cluster/sqlite.ts';
import { MAX_SKEW_MS, postgresFaultSequences, sqliteFaultSequences } from './faults.ts';
import { History } from './history.ts';
import { ExternalServer } from './load/external-server.ts';
import { Load } from './load/load.ts';
import { type FaultSequence, injectFaults } from './nemesis.ts';

export type Engine = 'sqlite' | 'postgres';

export interface FaultRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** Duration of the fault injection. */
  readonly faultsMs: number;
  /** The run is long enough to stop servers for longer than their leases. */
  readonly longRun: boolean;
  /** Called regularly with a line of progress. */
  readonly progress: (line: string) => void;
}

/** Result of a run. */
export interface FaultRun {
  readonly engine: Engine;
  readonly seed: number;
  readonly durationMs: number;
  readonly history: History;
  readonly executions: number;
  readonly events: number;
  /** Stored data of the executions with violations. */
  readonly executionDumps: readonly string[];
  /** Number of stream reconnects, and of duplicate webhook deliveries. */
  readonly reconnects: number;
  readonly duplicateDeliveries: number;
  /** Faults that are not available on this machine. */
  readonly unavailable: readonly string[];
}

const TOOLS = new URL('./tools.mjs', import.meta.url).pathname;
/** Time for executions to end by themselves after the faults. Then clocks are advanced, so that leases expire and timers fire that were set by a
 * wrong clock. */
const UNAIDED_END_MS = 6_000;
/** A lease, and the time until its expiry is detected. */
const LEASE_MS = 60_000;
const END_TIMEOUT_MS = 240_000;
const POLL_MS = 200;
/** Violations often have a common cause, so only a few executions are dumped. */
const MAX_DUMPS = 6;
const PROGRESS_MS = 15_000;

/** Starts servers and database, runs the load while faults are injected, waits until everything has ended, and checks the result. */
export async function runWithFaults(options: FaultRunOptions): Promise<FaultRun> {
  const { engine, seed, faultsMs, longRun, progress } = options;
  // An interrupted run still stops its processes: they are stopped when this process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-faults-'));
  // PostgreSQL does not run as root and must be able to enter the folder.
  chmodSync(folder, 0o755);
  const history = new History();
  const { cluster, sequences } = await openCluster(engine, folder, history, longRun);
  const external = await ExternalServer.open(new Random(seed + 1));
  const ended = new AbortController();
  // Every client listens to these signals.
  setMaxListeners(0, ended.signal);
  const stopStarting = new AbortController();
  setMaxListeners(0, stopStarting.signal);
  try {
    const load = new Load(cluster.members, external, seed, history, ended.signal);
    await load.start();
    const clients = load.runClients(stopStarting.signal);
    const progressTimer = setInterval(() => progress(progressLine(engine, load, history)), PROGRESS_MS);
    setTimeout(() => stopStarting.abort(), faultsMs);
    await Promise.all([injectFaults(sequences, seed, history, stopStarting.signal), after(faultsMs)]);
    await cluster.repair();
    load.stopMisbehaving();
    await waitForEnd(
      clients.then(() => load.cancelUnknownStarts()),
      load,
      cluster,
    );
    clearInterval(progressTimer);
    await checkReplays(cluster, load, history);
    await checkLists(cluster, history);
    ended.abort();
    await load.end();
    for (const member of cluster.members) await member.runExclusive(() => member.terminate());
    const evidence = await readFinalState(cluster, folder);
    await checkEverything(cluster, load, evidence, folder, history);
    return {
      engine,
      seed,
      durationMs: history.nowMs(),
      history,
      executions: evidence.executions.size,
      executionDumps: executionDumpsOf(history, evidence, load),
      events: [...evidence.executions.values()].reduce((sum, { log }) => sum + log.length, 0),
      reconnects: [...load.streams, ...load.followers.values()].reduce((sum, follower) => sum + follower.reconnects, 0),
      duplicateDeliveries: external.duplicates,
      unavailable: cluster.unavailable,
    };
  } finally {
    ended.abort();
    await cluster.close();
    external.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function executionDumpsOf({ violations }: History, evidence: FinalState, { workers }: Load): readonly string[] {
  const ids = new Set(violations.flatMap(({ subjects }) => subjects));
  const claims = workers.flatMap((worker) => worker.claims);
  return [...ids]
    .slice(0, MAX_DUMPS)
    .map((id) => dumpExecution(evidence, claims, id))
    .filter((text) => text !== '');
}

async function openCluster(
  engine: Engine,
  folder: string,
  history: History,
  longRun: boolean,
): Promise<{ readonly cluster: Cluster; readonly sequences: readonly FaultSequence[] }> {
  if (engine === 'sqlite') {
    const cluster = await openSqliteCluster(folder, TOOLS, history);
    return { cluster, sequences: sqliteFaultSequences(cluster) };
  }
  const cluster = await openPostgresCluster(folder, TOOLS, history);
  return { cluster, sequences: postgresFaultSequences(cluster, longRun) };
}

/** Waits until every execution has ended and every event is delivered: by itself, or after the clocks are advanced. */
async function waitForEnd(clients: Promise<void>, load: Load, cluster: Cluster): Promise<void> {
  let clientsDone = false;
  void clients.then(() => {
    clientsDone = true;
  });
  const quietBy = async (untilMs: number): Promise<boolean> => {
    while (!(clientsDone && (await isQuiet(cluster, load)))) {
      if (performance.now() > untilMs) return false;
      await after(POLL_MS);
    }
    return true;
  };
  if (await quietBy(performance.now() + UNAIDED_END_MS)) return;
  await advanceClocks(cluster);
  await quietBy(performance.now() + END_TIMEOUT_MS);
}

/** Restarts every server with its clock advanced. */
async function advanceClocks(cluster: Cluster): Promise<void> {
  for (const member of cluster.members) {
    await member.runExclusive(async () => {
      await member.terminate();
      member.preload.shiftClock(MAX_SKEW_MS + LEASE_MS);
      await member.start();
    });
  }
}

/** Whether background work is finished, too: children have ended, and every event is delivered to webhooks and streams. */
async function isQuiet(cluster: Cluster, load: Load): Promise<boolean> {
  const [row] = await cluster.query(
    `SELECT (SELECT coalesce(sum(events), 0) FROM log_entries) AS events,
      (SELECT count(*) FROM executions WHERE completed_at_ms IS NULL) + (SELECT count(*) FROM inbox) AS open`,
  );
  const totalLength = (of: ReadonlyMap<string, { readonly length: number }>): number =>
    [...of.values()].reduce((sum, { length }) => sum + length, 0);
  const delivered = [load.external.delivered, ...load.streams.map(({ received }) => received)].map(totalLength);
  return Number(row?.open) === 0 && delivered.every((count) => count >= Number(row?.events));
}

/** Checks everything that is known after the run. */
async function checkEverything(
  cluster: Cluster,
  load: Load,
  evidence: FinalState,
  folder: string,
  history: History,
): Promise<void> {
  checkLogs(evidence, history);
  checkMessages(load.executions, evidence, history);
  checkWork(
    load.workers.flatMap(({ claims }) => claims),
    evidence,
    history,
  );
  checkCalls(evidence, history);
  checkOutcomes(evidence, load.external, history);
  checkWebhooks(load.external, evidence, history);
  checkStreams(load.streams, load.followers, evidence, history);
  for (const [what, count] of Object.entries(evidence.leftoverRows)) {
    if (count > 0) history.addViolation('nothing remains of ended executions', `${count} ${what}`);
  }
  await checkByCommands(cluster.databaseUrl, folder, evidence.executions.size, history);
}

function progressLine(engine: string, load: Load, history: History): string {
  const done = load.executions.filter((tracked) => tracked.finished).length;
  const faults = history.faults.length;
  return `${engine}: ${seconds(history.nowMs())} s, ${faults} faults, ${done} of ${load.executions.length} executions finished by their clients, ${history.violations.length} violations`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(0);
}
