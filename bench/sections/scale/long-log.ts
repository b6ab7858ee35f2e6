import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpu, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { CALLER, withRuntime } from '../../subjects/in-process.ts';
import { copyDatabase } from '../../subjects/recorder.ts';
import { rounds } from '../../subjects/workflows.ts';

const ROUNDS = 25_000;
const PAGE = 100;
const TIMES = 3;
const MEMORY = '/dev/shm';
const PERCENT = [0.01, 25, 50, 75, 99.99, 100] as const;

/** Measures reads of an execution whose log has 100,000 events, by a runtime that has just opened the database. */
export async function longLog(folder: string): Promise<readonly Table[]> {
  const executionId = await build(folder);
  return withRuntime(folder, 'long-log', async ({ runtime }) => {
    const { sequence } = await runtime.execution(CALLER.tenantId, executionId);
    const page = (after: number) => async () => {
      for await (const _ of runtime.events(CALLER.tenantId, executionId, { after, limit: PAGE }));
    };
    const rows: Row[] = [
      await timed('first page of 100 events', page(0)),
      await timed('last page of 100 events', page(sequence - PAGE)),
      await timed('the execution', () => runtime.execution(CALLER.tenantId, executionId)),
    ];
    for (const percent of PERCENT) {
      const at = Math.max(1, Math.floor((sequence * percent) / 100));
      rows.push(await timed(`state at ${percent} %`, () => runtime.stateAt(CALLER.tenantId, executionId, at)));
    }
    const title = `One execution with ${sequence.toLocaleString('en-US')} events`;
    return [{ title, columns: [wall('first time, ms', 2), wall('p50 ms', 2), cpu('CPU ms', 2)], rows }];
  });
}

/** Runs the execution in a database in memory if possible, because each of its rounds is a commit with an fsync, and copies it to `folder`. */
async function build(folder: string): Promise<string> {
  const home = existsSync(MEMORY) ? mkdtempSync(join(MEMORY, 'jamjet-bench-')) : join(folder, 'built');
  try {
    return await withRuntime(
      home,
      'long-log',
      async ({ runtime, path }) => {
        await runtime.register(CALLER, rounds('work', ROUNDS));
        const { executionId } = await runtime.start(CALLER, { workflowId: 'rounds-work', input: { n: 0 } });
        while ((await runtime.settled(CALLER.tenantId, executionId, 60_000)).status === 'running');
        const { status } = await runtime.execution(CALLER.tenantId, executionId);
        if (status !== 'completed') throw new Error(`${executionId} is ${status}`);
        copyDatabase(path, join(folder, 'long-log.db'));
        return executionId;
      },
      { stepLimit: 2 * ROUNDS },
    );
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function timed(label: string, read: () => Promise<unknown>): Promise<Row> {
  const tookMs: number[] = [];
  const cpuMs = cpuMsOfThisProcess();
  for (let time = 0; time < TIMES; time += 1) {
    const startedMs = performance.now();
    await read();
    tookMs.push(performance.now() - startedMs);
  }
  return { label, values: [tookMs[0] ?? null, median(tookMs), (cpuMsOfThisProcess() - cpuMs) / TIMES] };
}
