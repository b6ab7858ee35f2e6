import { cpu, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { CALLER, openRuntime, withRuntime } from '../../subjects/in-process.ts';
import { rounds } from '../../subjects/workflows.ts';

const ROUNDS = 25_000;
const PAGE = 100;
const TIMES = 7;
const PLACES = [0.0001, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9999] as const;

/** Measures reads of an execution whose log has 100,000 events, by a runtime that has just opened the database. */
export async function longLog(folder: string): Promise<readonly Table[]> {
  const options = { stepLimit: 2 * ROUNDS };
  const made = await openRuntime(folder, 'long-log', options);
  await made.runtime.register(CALLER, rounds('work', ROUNDS));
  const { executionId } = await made.runtime.start(CALLER, { workflowId: 'rounds-work', input: { n: 0 } });
  while ((await made.runtime.settled(CALLER.tenantId, executionId, 60_000)).status === 'running');
  await made.close();
  return withRuntime(folder, 'long-log', async ({ runtime }) => {
    const { sequence, status } = await runtime.execution(CALLER.tenantId, executionId);
    if (status !== 'completed') throw new Error(`${executionId} is ${status}`);
    const page = (after: number) => async () => {
      for await (const _ of runtime.events(CALLER.tenantId, executionId, { after, limit: PAGE }));
    };
    const rows: Row[] = [
      await timed('first page of 100 events', page(0)),
      await timed('last page of 100 events', page(sequence - PAGE)),
      await timed('the execution', () => runtime.execution(CALLER.tenantId, executionId)),
    ];
    for (const place of PLACES) {
      const at = Math.max(1, Math.floor(sequence * place));
      rows.push(await timed(`state at ${(place * 100).toFixed(2)} %`, () => runtime.stateAt(CALLER.tenantId, executionId, at)));
    }
    const title = `One execution with ${sequence.toLocaleString('en-US')} events`;
    return [{ title, columns: [wall('first time, ms', 2), wall('p50 ms', 2), cpu('CPU ms', 2)], rows }];
  });
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
