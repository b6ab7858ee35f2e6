import type { Row, Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { CALLER, complete, completeMany, many, withRuntime } from '../../subjects/in-process.ts';
import { linear, WAITING } from '../../subjects/workflows.ts';

export const CONCURRENCIES = [1, 64, 256] as const;
/** Executions before the measurement, 64 at once: compiles the code, so that the first row is as fast as it can be. */
const WARM_UP = { completed: 3_000, starts: 6_000 } as const;
const WARM_UP_MS = 200;
const MEASURE_MS = 1_500;

/** Measures a three-node workflow from start to completion in this process. */
export async function inProcess(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'in-process', async ({ runtime }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP.completed, 64);
    const once = () => complete(runtime, 'linear-3', { n: 0 });
    const rows: Row[] = [];
    for (const concurrency of CONCURRENCIES)
      rows.push(loadRow(await runLoad({ concurrency, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, once })));
    return [{ title: 'In process: three-node executions, start → completed', columns: LOAD_COLUMNS, rows }];
  });
}

/** Measures durable starts, without waiting for later steps. */
export async function starts(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'starts', async ({ runtime }) => {
    await runtime.register(CALLER, WAITING);
    const once = () => runtime.start(CALLER, { workflowId: 'waiting', input: { n: 0 } });
    await many(WARM_UP.starts, 64, once);
    const rows: Row[] = [];
    for (const concurrency of CONCURRENCIES)
      rows.push(loadRow(await runLoad({ concurrency, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS / 2, once })));
    return [{ title: 'In process: durable starts', columns: LOAD_COLUMNS, rows }];
  });
}
