import { statSync } from 'node:fs';
import { exact, type Table, wall } from '../../figures.ts';
import { memory } from '../../machine.ts';
import { CALLER, many, openRuntime } from '../../subjects/in-process.ts';
import { WAITING } from '../../subjects/workflows.ts';

const EXECUTIONS = 100_000;
const LANES = 512;

/** Requires `--expose-gc`, so that garbage is not counted. */
export async function dormant(folder: string): Promise<readonly Table[]> {
  const first = await openRuntime(folder, 'dormant');
  await first.runtime.register(CALLER, WAITING);
  const startedMs = performance.now();
  let last = '';
  await many(EXECUTIONS, LANES, async (n) => {
    last = (await first.runtime.start(CALLER, { workflowId: 'waiting', input: { n } })).executionId;
  });
  const startMs = performance.now() - startedMs;
  const afterStart = memory();
  await first.close();

  const reopeningMs = performance.now();
  const second = await openRuntime(folder, 'dormant');
  const reopenMs = performance.now() - reopeningMs;
  const afterReopen = memory();
  const wakingMs = performance.now();
  await second.runtime.sendEvent(CALLER, last, { key: 'wake', payload: {} });
  const { status } = await second.runtime.settled(CALLER.tenantId, last, 10_000);
  const wakeMs = performance.now() - wakingMs;
  if (status !== 'completed') throw new Error(`${last} is ${status} after its event`);
  await second.close();
  const mib = ({ heapUsed, rss }: NodeJS.MemoryUsage) => [heapUsed / 2 ** 20, rss / 2 ** 20];
  return [
    {
      title: `Dormant: ${EXECUTIONS.toLocaleString('en-US')} executions waiting for an event`,
      columns: [exact('heap MiB', 1), exact('resident MiB', 0), wall('took ms', 1), exact('file B each', 0)],
      rows: [
        { label: 'started', values: [...mib(afterStart), startMs, null] },
        { label: 'reopened', values: [...mib(afterReopen), reopenMs, statSync(second.path).size / EXECUTIONS] },
        { label: 'one woken', values: [null, null, wakeMs, null] },
      ],
    },
  ];
}
