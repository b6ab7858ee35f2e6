import { type Row, type Table, wall } from '../../figures.ts';
import { type OpenLoad, runOpenLoad } from '../../load/open-loop.ts';
import { median } from '../../load/quantile.ts';
import { ConnectionPool } from '../../subjects/connection-pool.ts';
import { many } from '../../subjects/in-process.ts';
import { complete, connectionAt, openConnections, register } from '../../subjects/over-http.ts';
import { type Server, serve } from '../../subjects/server.ts';
import { linear } from '../../subjects/workflows.ts';

const WARM_UP = 4_000;
const LANES = 64;
const CONNECTIONS = 4_000;
/** Of the rate that 64 clients reach, the highest at which an open load is sustained. */
const FRACTIONS = [0.95, 0.85, 0.75, 0.65, 0.55, 0.45, 0.35];
const TRIAL_MS = 2_500;
/** A rate is sustained if nothing is refused, and what was started has ended so soon afterwards. */
const MAX_DRAIN_MS = 250;
const MAX_P99_MS = 100;
const ROUNDS = 3;
const WARM_UP_MS = 1_000;
const MEASURE_MS = 4_000;
const FACTORS = [1, 2, 5];
const RETRY_AFTER = /\r\nretry-after: *\d+/i;

const COLUMNS = [
  wall('offered/s', 0, 'more'),
  wall('accepted/s', 0, 'more'),
  wall('refused/s', 0),
  wall('p50 ms', 1),
  wall('p99 ms', 1),
  wall('longest ms', 1),
  wall('refusal p99 ms', 1),
  wall('drained in ms', 0),
];

/**
 * Three-node executions started over HTTP at fixed rates, with authentication: the highest rate that the server sustains, and several times
 * as many. The server has its own process; this process is the client. Latencies are those of `POST /executions`, which is durable.
 */
export async function overload(folder: string): Promise<readonly Table[]> {
  const server = await serve(folder, 'overload.db');
  let pool: ConnectionPool | null = null;
  try {
    await register(server.url, server.token, [linear(3)]);
    const closedLoop = await closedLoopRate(server);
    pool = await ConnectionPool.open(server.url, server.token, CONNECTIONS);
    const sustained = await sustainedRate(pool, closedLoop);
    const open = pool;
    const rounds: { readonly factor: number; readonly load: OpenLoad; readonly drainMs: number }[] = [];
    for (let round = 0; round < ROUNDS; round++)
      for (const factor of FACTORS) rounds.push({ factor, ...(await measure(open, sustained * factor, MEASURE_MS)) });
    return [
      {
        title: `Starts over HTTP at fixed rates: ${sustained.toFixed(0)} a second are sustained (64 clients: ${closedLoop.toFixed(0)}). Medians of ${ROUNDS} rounds`,
        columns: COLUMNS,
        rows: FACTORS.map((factor) =>
          row(
            factor,
            rounds.filter((each) => each.factor === factor),
          ),
        ),
      },
    ];
  } finally {
    pool?.close();
    await server.stop();
  }
}

function row(factor: number, rounds: readonly { readonly load: OpenLoad; readonly drainMs: number }[]): Row {
  const of = (value: (each: { readonly load: OpenLoad; readonly drainMs: number }) => number) => median(rounds.map(value));
  return {
    label: `${factor}×`,
    values: [
      of(({ load }) => load.offeredPerSecond),
      of(({ load }) => load.accepted.perSecond),
      of(({ load }) => load.refused.perSecond),
      of(({ load }) => load.accepted.p50Ms),
      of(({ load }) => load.accepted.p99Ms),
      of(({ load }) => load.accepted.maxMs),
      rounds.some(({ load }) => load.refused.count > 0) ? of(({ load }) => load.refused.p99Ms) : null,
      of(({ drainMs }) => drainMs),
    ],
  };
}

/** Executions a second that 64 clients complete, each one after the other. */
async function closedLoopRate({ url, token }: Server): Promise<number> {
  const lanes = await openConnections(url, token, LANES);
  const once = (_: number, lane: number) => complete(connectionAt(lanes, lane));
  await many(WARM_UP, LANES, once);
  const startedMs = performance.now();
  await many(WARM_UP, LANES, once);
  const rate = (WARM_UP * 1000) / (performance.now() - startedMs);
  for (const lane of lanes) lane.close();
  return rate;
}

async function sustainedRate(pool: ConnectionPool, closedLoop: number): Promise<number> {
  for (const fraction of FRACTIONS) {
    const { load, drainMs } = await measure(pool, closedLoop * fraction, TRIAL_MS);
    if (load.refused.count === 0 && drainMs <= MAX_DRAIN_MS && load.accepted.p99Ms <= MAX_P99_MS) return closedLoop * fraction;
  }
  throw new Error(
    `the machine is too busy: not even ${FRACTIONS.at(-1)} of ${closedLoop.toFixed(0)} executions a second are sustained`,
  );
}

async function measure(
  pool: ConnectionPool,
  perSecond: number,
  measureMs: number,
): Promise<{ readonly load: OpenLoad; readonly drainMs: number }> {
  const load = await runOpenLoad({ perSecond, warmUpMs: WARM_UP_MS, measureMs, once: () => start(pool) });
  const endedMs = performance.now();
  await drained(pool);
  const drainMs = performance.now() - endedMs;
  return { load, drainMs };
}

/** False if the server refused the start with 503. */
async function start(pool: ConnectionPool): Promise<boolean> {
  const { status, head, body } = await pool.send('POST', '/executions', '{"workflow_id":"linear-3","input":{"n":0}}');
  if (status === 201) return true;
  if (status === 503 && RETRY_AFTER.test(head)) return false;
  throw new Error(`unexpected reply ${status}: ${body}`);
}

/** Resolves when no execution runs any more. */
async function drained(pool: ConnectionPool): Promise<void> {
  for (;;) {
    const { status, body } = await pool.send('GET', '/executions?status=running&limit=1');
    if (status === 200 && (JSON.parse(body) as { executions: unknown[] }).executions.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
