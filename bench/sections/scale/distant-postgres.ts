import type { Runtime } from '../../../src/runtime/types/runtime.ts';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { Store } from '../../../store/port/store.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { type Row, type Table, wall } from '../../figures.ts';
import { quantile } from '../../load/quantile.ts';
import { CountingProxy } from '../../subjects/counting-proxy.ts';
import { CALLER, onStore } from '../../subjects/in-process.ts';
import { installedPostgres, startPostgres } from '../../subjects/postgres-server.ts';
import { WAITING } from '../../subjects/workflows.ts';

/** Of what is sent to the database, and of its answers. */
const DELAY_MS = 1;
const AT_ONCE = 500;
/** The first of which is not counted. */
const ROUNDS = 6;
const NEIGHBOUR = { ...CALLER, tenantId: 'neighbour' };

/** Does so many at once; `round` is another number at each call. */
type Act = (of: { readonly runtime: Runtime; readonly store: Store }, round: number) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  starts: ({ runtime }) => atOnce(() => runtime.start(CALLER, { workflowId: 'waiting' })),
  'starts, each with a key': ({ runtime }, round) =>
    atOnce((n) => runtime.start(CALLER, { workflowId: 'waiting', key: `${round}-${n}` })),
  'starts with ten keys': ({ runtime }, round) =>
    atOnce((n) => runtime.start(CALLER, { workflowId: 'waiting', key: `${round}-${n % 10}`, ifRunning: 'return' })),
  'turns of threads, in one commit': ({ store }, round) =>
    store.commit({
      atMs: Date.now(),
      units: Array.from({ length: AT_ONCE }, (_, n) => ({ executions: [turn(`${round}-${n}`)], idempotency: null })),
    }),
};

/** Measures many starts at once on a database that is not on the same machine, beside starts of another tenant, one after the other. */
export async function distantPostgres(): Promise<readonly Table[]> {
  const bin = installedPostgres();
  if (bin === null) throw new Error('no PostgreSQL is installed (apt-get install postgresql)');
  const database = await startPostgres(bin);
  try {
    const url = new URL(await database.createDatabase('distant'));
    const proxy = await CountingProxy.to(Number(url.port), { delayMs: DELAY_MS });
    url.port = String(proxy.port);
    try {
      const store = await openPostgres({ url: url.href });
      const rows = await onStore(store, async (runtime) => {
        for (const caller of [CALLER, NEIGHBOUR]) await runtime.register(caller, WAITING);
        const measured: Row[] = [];
        for (const [label, act] of Object.entries(ACTS)) measured.push(await row(label, act, { runtime, store }, proxy));
        return measured;
      });
      const columns = [wall('ms', 0), wall('round trips', 0), wall("ms of a neighbour's longest start", 0)];
      return [{ title: `${AT_ONCE} at once on a PostgreSQL ${DELAY_MS} ms away`, columns, rows }];
    } finally {
      await proxy.close();
    }
  } finally {
    database.stop();
  }
}

async function row(label: string, act: Act, of: Parameters<Act>[0], proxy: CountingProxy): Promise<Row> {
  const rounds: (readonly number[])[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = proxy.roundTrips;
    let isDone = false;
    const acted = timed(() => act(of, round)).finally(() => {
      isDone = true;
    });
    let longestMs = 0;
    while (!isDone) longestMs = Math.max(longestMs, await timed(() => of.runtime.start(NEIGHBOUR, { workflowId: 'waiting' })));
    if (round > 0) rounds.push([await acted, proxy.roundTrips - before, longestMs]);
  }
  const median = (column: number) =>
    quantile(
      rounds.map((values) => values[column] ?? 0).sort((a, b) => a - b),
      0.5,
    );
  return { label, values: [median(0), median(1), median(2)] };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

function atOnce(one: (n: number) => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, n) => one(n)));
}

/** An execution that has ended, which begins a thread. */
function turn(id: string): ExecutionWrite {
  const atMs = Date.now();
  return {
    id: `turn-${id}`,
    tenantId: CALLER.tenantId,
    fromSeq: 0,
    create: {
      workflowId: 'talking',
      workflowVersion: '1',
      revision: 'talking',
      labels: '{}',
      parentId: null,
      depth: 0,
      createdAtMs: atMs,
      deadlineAtMs: null,
    },
    progress: {
      status: 'completed',
      seq: 0,
      steps: 1,
      error: null,
      localWork: 0,
      owner: null,
      updatedAtMs: atMs,
      completedAtMs: atMs,
    },
    checkpoint: null,
    events: [],
    timers: [],
    work: [],
    send: [],
    consumed: [],
    usage: null,
    threads: [{ id, read: null, nodeId: 'talk', activation: 1, messages: ['{"role":"user"}', '{"role":"assistant"}'] }],
  };
}
