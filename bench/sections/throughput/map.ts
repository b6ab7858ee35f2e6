import type { JsonObject } from '../../../machines/json.ts';
import { cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { CALLER } from '../../subjects/in-process.ts';
import { measure } from '../storage/bytes.ts';

const COUNTS = [10, 100, 1_000, 10_000] as const;
/** Items of each measurement: short lists are mapped by several executions, one after another. */
const ITEMS = 10_000;
/** Compiles the code before. */
const WARM_UP = 5_000;

const MAP: JsonObject = {
  workflow_id: 'map',
  version: '1',
  nodes: {
    m: { kind: { type: 'map', items: 'state.items', do: { type: 'tool', tool_ref: 'score', input: { id: '{{ item.id }}' } } } },
  },
};

/** What an item of a list costs, by the length of the list. */
export async function map(folder: string): Promise<readonly Table[]> {
  const rows: Row[] = [];
  for (const count of COUNTS) {
    const { bytes, result } = await measure(folder, `map-${count}`, MAP, async (runtime) => {
      const run = async () => {
        const input = { items: Array.from({ length: count }, (_, id) => ({ id })) };
        const { executionId } = await runtime.start(CALLER, { workflowId: 'map', input });
        const view = await runtime.settled(CALLER.tenantId, executionId, 120_000);
        if (view.status !== 'completed') throw new Error(`${view.status}: ${view.error ?? 'no error'}`);
      };
      for (let done = 0; done < WARM_UP; done += count) await run();
      const before = { cpuMs: cpuMsOfThisProcess(), ms: performance.now() };
      for (let done = 0; done < ITEMS; done += count) await run();
      return { cpuMs: cpuMsOfThisProcess() - before.cpuMs, ms: performance.now() - before.ms };
    });
    const warmed = Math.ceil(WARM_UP / count) * count;
    const perItem = (total: number | null): number | null => (total === null ? null : total / (ITEMS + warmed));
    rows.push({
      label: `${count} items`,
      values: [
        (result.cpuMs * 1_000) / ITEMS,
        (result.ms * 1_000) / ITEMS,
        perItem(bytes.bound),
        perItem(bytes.written),
        perItem(bytes.grown),
      ],
    });
  }
  return [
    {
      title: 'A map over a tool in process: per item, by the length of the list',
      columns: [
        cpu('CPU µs', 0),
        wall('µs', 0),
        exact('bytes bound to SQL statements', 0),
        exact('handed to write(2)', 0),
        exact('growth of the file', 0),
      ],
      rows,
    },
  ];
}
