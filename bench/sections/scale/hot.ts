import { exact, type Table, wall } from '../../figures.ts';
import { memory } from '../../machine.ts';
import { CALLER, many, withRuntime } from '../../subjects/in-process.ts';
import { rounds } from '../../subjects/workflows.ts';

const EXECUTIONS = 10_000;
const LANES = 512;
const SETTLE_MS = 2_500;
const TEXT = 'x'.repeat(1_000);

/** Measures the memory of executions that are all cached and at work: each has an attempt that takes about a second. */
export async function hot(folder: string): Promise<readonly Table[]> {
  const options = { concurrency: 2 * EXECUTIONS, maxPending: 10 * EXECUTIONS, cacheBytes: 2 ** 30 };
  return withRuntime(
    folder,
    'hot',
    async ({ runtime }) => {
      await runtime.register(CALLER, rounds('slow', 1_000));
      const before = memory();
      await many(EXECUTIONS, LANES, (n) =>
        runtime.start(CALLER, { workflowId: 'rounds-slow', input: { n: 0, id: n, text: TEXT } }),
      );
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const { heapUsed, rss } = memory();
      return [
        {
          title: `Hot: ${EXECUTIONS.toLocaleString('en-US')} cached executions with work in progress, a state of 1 KB each`,
          columns: [exact('heap MiB', 1), exact('heap KiB each', 1), wall('resident MiB', 0)],
          rows: [{ label: 'hot', values: [heapUsed / 2 ** 20, (heapUsed - before.heapUsed) / 1024 / EXECUTIONS, rss / 2 ** 20] }],
        },
      ];
    },
    options,
  );
}
