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
  /** How long faults go on. */
  readonly faultsMs: number;
  /** Long enough for servers that are really stopped beyond their leases. */
  readonly longRun: boolean;
  /** Told now and then how far it is. */
  readonly progress: (line: string) => void;
}

/** What came of it. */
export interface FaultRun {
  readonly engine: Engine;
  readonly seed: number;
  readonly durationMs: number;
  readonly history: History;
  readonly executions: number;
  readonly events: number;
  /** What there is of the executions that violations are about. */
  readonly executionDumps: readonly string[];
  /** How often streams had to be taken up again, and what webhooks told more than once. */
  readonly reconnects: number;
  readonly duplicateDeliveries: number;
  /** What could not be done on this machine. */
  readonly unavailable: readonly string[];
}

const TOOLS = new URL('./tools.mjs', import.meta.url).pathname;
/** What must end by itself once everything is well: then clocks are put on, so that leases lapse and timers fire that were set by a wrong one. */
const UNAIDED_END_MS = 6_000;
/** A lease, and the time until it is noticed that it has lapsed. */
const LEASE_MS = 60_000;
const END_TIMEOUT_MS = 240_000;
const POLL_MS = 200;
/** Violations often have one cause. */
const MAX_DUMPS = 6;
const PROGRESS_MS = 15_000;

/** Opens servers and database, has everybody use them while faults happen, lets all come to an end, and checks what is left. */
export async function runWithFaults(options: FaultRunOptions): Promise<FaultRun> {
  const { engine, seed, faultsMs, longRun, progress } = options;
  // Interrupted, it still ends what it has started: that hangs on the end of the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-faults-'));
  // PostgreSQL, which is not root, goes through it.
  chmodSync(folder, 0o755);
  const history = new History();
  const { cluster, lanes } = await openCluster(engine, folder, history, longRun);
  const external = await ExternalServer.open(new Random(seed + 1));
  const ended = new AbortController();
  // Everybody listens to them.
  setMaxListeners(0, ended.signal);
  const stopStarting = new AbortController();
  setMaxListeners(0, stopStarting.signal);
  try {
    const load = new Load(cluster.members, external, seed, history, ended.signal);
    await load.start();
    const customers = load.runClients(stopStarting.signal);
    const reporting = setInterval(() => progress(progressLine(engine, load, history)), PROGRESS_MS);
    setTimeout(() => stopStarting.abort(), faultsMs);
    await Promise.all([injectFaults(lanes, seed, history, stopStarting.signal), after(faultsMs)]);
    await cluster.repair();
    load.stopMisbehaving();
    await waitForEnd(
      customers.then(() => load.cancelUnknownStarts()),
      load,
      cluster,
    );
    clearInterval(reporting);
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
  const ids = new Set(violations.flatMap(({ subjects: about }) => about));
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
): Promise<{ readonly cluster: Cluster; readonly lanes: readonly FaultSequence[] }> {
  if (engine === 'sqlite') {
    const cluster = await openSqliteCluster(folder, TOOLS, history);
    return { cluster, lanes: sqliteFaultSequences(cluster) };
  }
  const cluster = await openPostgresCluster(folder, TOOLS, history);
  return { cluster, lanes: postgresFaultSequences(cluster, longRun) };
}

/** Everything comes to its end, and has been told: by itself, or once the clocks have been put on. */
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

/** As after a night in which the machines slept. */
async function advanceClocks(cluster: Cluster): Promise<void> {
  for (const member of cluster.members) {
    await member.runExclusive(async () => {
      await member.terminate();
      member.preload.shiftClock(MAX_SKEW_MS + LEASE_MS);
      await member.start();
    });
  }
}

/** What happens behind the answers is done, too: children have ended, and everything has been told. */
async function isQuiet(cluster: Cluster, load: Load): Promise<boolean> {
  const [row] = await cluster.query(
    `SELECT (SELECT count(*) FROM events) AS events,
      (SELECT count(*) FROM executions WHERE completed_at_ms IS NULL) + (SELECT count(*) FROM inbox) AS open`,
  );
  const totalLength = (of: ReadonlyMap<string, { readonly length: number }>): number =>
    [...of.values()].reduce((sum, { length }) => sum + length, 0);
  const delivered = [load.external.delivered, ...load.streams.map(({ received: shown }) => shown)].map(totalLength);
  return Number(row?.open) === 0 && delivered.every((count) => count >= Number(row?.events));
}

/** Everything that can be known afterwards. */
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
    if (count > 0) history.addViolation('nothing is left of executions that have ended', `${count} ${what}`);
  }
  await checkByCommands(cluster.databaseUrl, folder, evidence.executions.size, history);
}

function progressLine(engine: string, load: Load, history: History): string {
  const done = load.executions.filter((story) => story.finished).length;
  const faults = history.faults.length;
  return `${engine}: ${seconds(history.nowMs())} s, ${faults} faults, ${done} of ${load.executions.length} executions gone along with to their end, ${history.violations.length} violations`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(0);
}
