import { type Column, type Row, type Table, wall } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { median } from '../../load/quantile.ts';
import { type Driver, httpDriver, inProcessDriver } from '../../subjects/driver.ts';
import { CALLER, many, withRuntime } from '../../subjects/in-process.ts';
import { openConnections, register } from '../../subjects/over-http.ts';
import { serve } from '../../subjects/server.ts';
import { APPROVAL, EVENT, EXTERNAL, linear, RETRY } from '../../subjects/workflows.ts';

const CONCURRENCIES = { inProcess: [1, 64], overHttp: [64] } as const;
/** Executions of each workload before the measurement, so that none is measured while its code is compiled. */
const WARM_UP = 400;
const WARM_UP_LANES = 64;
const WARM_UP_MS = 100;
const MEASURE_MS = 400;
const BALLAST = 'x'.repeat(20_000);
const DOCUMENTS = [linear(3), APPROVAL, EVENT, RETRY, EXTERNAL];

/** One execution from start to completion. Returns when the last act from outside began, after which only the runtime works; null = no act. */
type Workload = (driver: Driver) => Promise<number | null>;

const WORKLOADS: Readonly<Record<string, Workload>> = {
  trivial: (driver) => run(driver, 'linear-3', { n: 0 }),
  retry: (driver) => run(driver, 'retry', { n: 0 }),
  'state of 20 KB': (driver) => run(driver, 'linear-3', { n: 0, ballast: BALLAST }),
  approval: (driver) => runWithAct(driver, 'approval', (id) => driver.approve(id)),
  'wait for an event': (driver) => runWithAct(driver, 'event', (id) => driver.wake(id)),
  'external worker': async (driver) => {
    const id = await driver.start('external', { n: 0 });
    // Any worker may get any item: this one may belong to an execution of another client.
    const item = await driver.claim();
    const actedMs = performance.now();
    await driver.complete(item, { n: 1 });
    await expectCompleted(driver, id);
    return actedMs;
  },
};

const COLUMNS: readonly Column[] = [...LOAD_COLUMNS, wall('last act → done, p50 ms', 2)];

/** Measures workloads beside the trivial one, in process and over HTTP. */
export async function mixed(folder: string): Promise<readonly Table[]> {
  const rows = [...(await inProcess(folder)), ...(await overHttp(folder))];
  return [{ title: 'Mixed workloads: one execution from start to completion', columns: COLUMNS, rows }];
}

async function inProcess(folder: string): Promise<readonly Row[]> {
  return withRuntime(folder, 'mixed', async ({ runtime }) => {
    for (const document of DOCUMENTS) await runtime.register(CALLER, document);
    const driver = inProcessDriver(runtime);
    return measured('in process', () => driver, CONCURRENCIES.inProcess, process.pid);
  });
}

async function overHttp(folder: string): Promise<readonly Row[]> {
  const server = await serve(folder, 'mixed-http.db');
  try {
    await register(server.url, server.token, DOCUMENTS);
    const lanes = await openConnections(server.url, server.token, Math.max(WARM_UP_LANES, ...CONCURRENCIES.overHttp));
    const drivers = lanes.map(httpDriver);
    const driverOf = (lane: number): Driver => {
      const driver = drivers[lane];
      if (driver === undefined) throw new RangeError(`no lane ${lane}`);
      return driver;
    };
    const rows = await measured('over HTTP', driverOf, CONCURRENCIES.overHttp, server.pid);
    for (const lane of lanes) lane.close();
    return rows;
  } finally {
    await server.stop();
  }
}

async function measured(
  where: string,
  driverOf: (lane: number) => Driver,
  concurrencies: readonly number[],
  pid: number,
): Promise<readonly Row[]> {
  for (const workload of Object.values(WORKLOADS)) await many(WARM_UP, WARM_UP_LANES, (_, lane) => workload(driverOf(lane)));
  const rows: Row[] = [];
  for (const [name, workload] of Object.entries(WORKLOADS))
    for (const concurrency of concurrencies) {
      let actMs: number[] = [];
      let warm = false;
      const once = async (lane: number): Promise<void> => {
        const actedMs = await workload(driverOf(lane));
        if (actedMs !== null) actMs.push(performance.now() - actedMs);
      };
      const onSample = () => {
        if (!warm) actMs = [];
        warm = true;
      };
      const load = await runLoad({ concurrency, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, once, pid, onSample });
      const { label, values } = loadRow(load, `${name}, ${where}`);
      rows.push({ label, values: [...values, actMs.length === 0 ? null : median(actMs)] });
    }
  return rows;
}

async function run(driver: Driver, workflowId: string, input: { readonly n: number; readonly ballast?: string }): Promise<null> {
  await expectCompleted(driver, await driver.start(workflowId, { ...input }));
  return null;
}

async function runWithAct(driver: Driver, workflowId: string, act: (id: string) => Promise<void>): Promise<number> {
  const id = await driver.start(workflowId, { n: 0 });
  await driver.settled(id);
  const actedMs = performance.now();
  await act(id);
  await expectCompleted(driver, id);
  return actedMs;
}

async function expectCompleted(driver: Driver, id: string): Promise<void> {
  const status = await driver.settled(id);
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}
