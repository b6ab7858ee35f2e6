import { setMaxListeners } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import { checkByCommands, checkLists, checkReplays } from './check/commands.ts';
import { checkEndings } from './check/endings.ts';
import { dossier, type Evidence, gather } from './check/evidence.ts';
import { checkLogs } from './check/logs.ts';
import { checkMessages } from './check/messages.ts';
import { checkStreams, checkWebhooks } from './check/outside.ts';
import { checkCalls, checkWork } from './check/work.ts';
import type { Cluster } from './cluster/cluster.ts';
import { openPostgresCluster } from './cluster/postgres.ts';
import { openSqliteCluster } from './cluster/sqlite.ts';
import { MOST_SKEW_MS, postgresLanes, sqliteLanes } from './faults.ts';
import { History } from './history.ts';
import { Load } from './load/load.ts';
import { Outside } from './load/outside.ts';
import { type Lane, unleash } from './nemesis.ts';

export type Engine = 'sqlite' | 'postgres';

export interface CampaignOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** How long faults go on. */
  readonly faultsMs: number;
  /** Long enough for servers that are really stopped beyond their leases. */
  readonly lasting: boolean;
  /** Told now and then how far it is. */
  readonly progress: (line: string) => void;
}

/** What came of it. */
export interface Campaign {
  readonly engine: Engine;
  readonly seed: number;
  readonly tookMs: number;
  readonly history: History;
  readonly executions: number;
  readonly events: number;
  /** What there is of the executions that violations are about. */
  readonly dossiers: readonly string[];
  /** How often streams had to be taken up again, and what webhooks told more than once. */
  readonly reconnects: number;
  readonly repeated: number;
  /** What could not be done on this machine. */
  readonly missing: readonly string[];
}

const TOOLS = new URL('./tools.mjs', import.meta.url).pathname;
/** What must end by itself once everything is well: then clocks are put on, so that leases lapse and timers fire that were set by a wrong one. */
const BY_ITSELF_MS = 6_000;
/** A lease, and the time until it is noticed that it has lapsed. */
const LEASE_MS = 60_000;
const ENDS_WITHIN_MS = 240_000;
const LOOK_AGAIN_MS = 200;
/** Violations often have one cause. */
const DOSSIERS = 6;
const PROGRESS_MS = 15_000;

/** Opens servers and database, has everybody use them while faults happen, lets all come to an end, and checks what is left. */
export async function campaign(options: CampaignOptions): Promise<Campaign> {
  const { engine, seed, faultsMs, lasting, progress } = options;
  // Interrupted, it still ends what it has started: that hangs on the end of the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-faults-'));
  // PostgreSQL, which is not root, goes through it.
  chmodSync(folder, 0o755);
  const history = new History();
  const { cluster, lanes } = await open(engine, folder, history, lasting);
  const outside = await Outside.open(new Random(seed + 1));
  const over = new AbortController();
  // Everybody listens to them.
  setMaxListeners(0, over.signal);
  const enough = new AbortController();
  setMaxListeners(0, enough.signal);
  try {
    const load = new Load(cluster.members, outside, seed, history, over.signal);
    await load.begin();
    const customers = load.customers(enough.signal);
    const reporting = setInterval(() => progress(state(engine, load, history)), PROGRESS_MS);
    setTimeout(() => enough.abort(), faultsMs);
    await Promise.all([unleash(lanes, seed, history, enough.signal), after(faultsMs)]);
    await cluster.mend();
    load.calm();
    await ends(
      customers.then(() => load.sweep()),
      load,
      cluster,
    );
    clearInterval(reporting);
    await checkReplays(cluster, load, history);
    await checkLists(cluster, history);
    over.abort();
    await load.end();
    for (const member of cluster.members) await member.exclusive(() => member.terminate());
    const evidence = await gather(cluster, folder);
    await verify(cluster, load, evidence, folder, history);
    return {
      engine,
      seed,
      tookMs: history.nowMs(),
      history,
      executions: evidence.executions.size,
      dossiers: dossiersOf(history, evidence, load),
      events: [...evidence.executions.values()].reduce((sum, { log }) => sum + log.length, 0),
      reconnects: [...load.streams, ...load.followers.values()].reduce((sum, follower) => sum + follower.reconnects, 0),
      repeated: outside.repeated,
      missing: cluster.missing,
    };
  } finally {
    over.abort();
    await cluster.close();
    outside.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function dossiersOf({ violations }: History, evidence: Evidence, { workers }: Load): readonly string[] {
  const ids = new Set(violations.flatMap(({ about }) => about));
  const claims = workers.flatMap((worker) => worker.claims);
  return [...ids]
    .slice(0, DOSSIERS)
    .map((id) => dossier(evidence, claims, id))
    .filter((text) => text !== '');
}

async function open(
  engine: Engine,
  folder: string,
  history: History,
  lasting: boolean,
): Promise<{ readonly cluster: Cluster; readonly lanes: readonly Lane[] }> {
  if (engine === 'sqlite') {
    const cluster = await openSqliteCluster(folder, TOOLS, history);
    return { cluster, lanes: sqliteLanes(cluster) };
  }
  const cluster = await openPostgresCluster(folder, TOOLS, history);
  return { cluster, lanes: postgresLanes(cluster, lasting) };
}

/** Everything comes to its end, and has been told: by itself, or once the clocks have been put on. */
async function ends(customers: Promise<void>, load: Load, cluster: Cluster): Promise<void> {
  let served = false;
  void customers.then(() => {
    served = true;
  });
  const byThen = async (untilMs: number): Promise<boolean> => {
    while (!(served && (await isQuiet(cluster, load)))) {
      if (performance.now() > untilMs) return false;
      await after(LOOK_AGAIN_MS);
    }
    return true;
  };
  if (await byThen(performance.now() + BY_ITSELF_MS)) return;
  await putClocksOn(cluster);
  await byThen(performance.now() + ENDS_WITHIN_MS);
}

/** As after a night in which the machines slept. */
async function putClocksOn(cluster: Cluster): Promise<void> {
  for (const member of cluster.members) {
    await member.exclusive(async () => {
      await member.terminate();
      member.preload.shiftClock(MOST_SKEW_MS + LEASE_MS);
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
  const counted = (of: ReadonlyMap<string, { readonly length: number }>): number =>
    [...of.values()].reduce((sum, { length }) => sum + length, 0);
  const told = [load.outside.told, ...load.streams.map(({ shown }) => shown)].map(counted);
  return Number(row?.open) === 0 && told.every((count) => count >= Number(row?.events));
}

/** Everything that can be known afterwards. */
async function verify(cluster: Cluster, load: Load, evidence: Evidence, folder: string, history: History): Promise<void> {
  checkLogs(evidence, history);
  checkMessages(load.stories, evidence, history);
  checkWork(
    load.workers.flatMap(({ claims }) => claims),
    evidence,
    history,
  );
  checkCalls(evidence, history);
  checkEndings(evidence, load.outside, history);
  checkWebhooks(load.outside, evidence, history);
  checkStreams(load.streams, load.followers, evidence, history);
  for (const [what, count] of Object.entries(evidence.left)) {
    if (count > 0) history.violated('nothing is left of executions that have ended', `${count} ${what}`);
  }
  await checkByCommands(cluster.databaseUrl, folder, evidence.executions.size, history);
}

function state(engine: string, load: Load, history: History): string {
  const done = load.stories.filter((story) => story.done).length;
  const faults = history.faults.length;
  return `${engine}: ${seconds(history.nowMs())} s, ${faults} faults, ${done} of ${load.stories.length} executions gone along with to their end, ${history.violations.length} violations`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(0);
}
