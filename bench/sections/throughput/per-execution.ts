import { PerformanceObserver } from 'node:perf_hooks';
import { exact, perCommit, type Table } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { CALLER, completeMany, withRuntime } from '../../subjects/in-process.ts';
import { boundValues, recordStatements } from '../../subjects/recorder.ts';
import { linear } from '../../subjects/workflows.ts';

const CONCURRENCY = 64;
const WARM_UP = 6_400;
/** Few enough that what they allocate fits into the young generation. */
const MEASURED = 640;
const ROUNDS = 5;

/**
 * Allocation is the growth of the heap while no garbage collection runs: the process has a young generation that is larger than what is
 * allocated, and a window with a collection is an error. Memory outside the heap (buffers, SQLite) is not included.
 */
export async function perExecution(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'per-execution', async ({ runtime }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, CONCURRENCY);
    const kib: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      kib.push((await allocated(() => completeMany(runtime, MEASURED, CONCURRENCY))) / 1024 / MEASURED);
    const { statements } = await recordStatements(() => completeMany(runtime, MEASURED, CONCURRENCY));
    const writes = statements.filter((statement) => statement.writes);
    const transactions = statements.filter(({ sql }) => sql === 'COMMIT').length;
    return [
      {
        title: `Per three-node execution in process, ${CONCURRENCY} at once`,
        columns: [
          exact('allocated KiB', 1),
          exact('writing statements', 2),
          exact('their bound values', 1),
          perCommit('reading statements', 2),
          perCommit('transactions', 3),
        ],
        rows: [
          {
            label: 'three-node execution',
            values: [
              median(kib),
              writes.length / MEASURED,
              boundValues(writes).length / MEASURED,
              (statements.length - writes.length) / MEASURED,
              transactions / MEASURED,
            ],
          },
        ],
      },
    ];
  });
}

/** Bytes of the heap that `body` allocates. Requires `--expose-gc` and a large young generation. */
async function allocated(body: () => Promise<void>): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const before = process.memoryUsage().heapUsed;
  await body();
  const after = process.memoryUsage().heapUsed;
  await new Promise((resolve) => setTimeout(resolve, 10));
  observer.disconnect();
  if (collections > 0) throw new Error(`${collections} garbage collections while memory was measured`);
  return after - before;
}
