import { type Column, type Row, type Table, wall } from '../../figures.ts';
import { quantile } from '../../load/quantile.ts';
import { FsyncProbe } from '../../machine.ts';
import { type Driver, inProcessDriver } from '../../subjects/driver.ts';
import { CALLER, completeMany, withRuntime } from '../../subjects/in-process.ts';
import { APPROVAL, linear } from '../../subjects/workflows.ts';

const WARM_UP = 2_000;
const TIMES = 300;

const COLUMNS: readonly Column[] = [wall('p50 ms', 2), wall('p99 ms', 2), wall('fsync p50 ms', 2), wall('fsync p99 ms', 2)];

/** Does what is measured, and returns when it began. */
type Act = (driver: Driver) => Promise<number>;

const ACTS: Readonly<Record<string, Act>> = {
  'start → done, 4 commits': async (driver) => {
    const startedMs = performance.now();
    await expectCompleted(driver, await driver.start('linear-3', { n: 0 }));
    return startedMs;
  },
  'approve → done, 2 commits': async (driver) => {
    const id = await driver.start('approval', { n: 0 });
    await driver.settled(id);
    const approvedMs = performance.now();
    await driver.approve(id);
    await expectCompleted(driver, id);
    return approvedMs;
  },
};

/**
 * Measures the latency of one execution at a time in process. A durable write of 4 KiB goes before each, so that disk and runtime are measured
 * under the same load of the machine.
 */
export async function latency(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'latency', async ({ runtime }) => {
    for (const document of [linear(3), APPROVAL]) await runtime.register(CALLER, document);
    await completeMany(runtime, WARM_UP, 64);
    const driver = inProcessDriver(runtime);
    const rows: Row[] = [];
    for (const [label, act] of Object.entries(ACTS)) rows.push(await measured(folder, label, () => act(driver)));
    return [{ title: 'In process, 1 at once, beside the time of an fsync', columns: COLUMNS, rows }];
  });
}

async function measured(folder: string, label: string, act: () => Promise<number>): Promise<Row> {
  const probe = new FsyncProbe(folder);
  const actMs: number[] = [];
  const fsyncMs: number[] = [];
  try {
    for (let time = 0; time < TIMES; time += 1) {
      fsyncMs.push(probe.append());
      const startedMs = await act();
      actMs.push(performance.now() - startedMs);
    }
  } finally {
    probe.close();
  }
  const quantiles = [actMs, fsyncMs].flatMap((values) => {
    const sorted = values.sort((a, b) => a - b);
    return [quantile(sorted, 0.5), quantile(sorted, 0.99)];
  });
  return { label, values: quantiles };
}

async function expectCompleted(driver: Driver, id: string): Promise<void> {
  const status = await driver.settled(id);
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}
