import type { JsonObject } from '../../../machines/json.ts';
import { cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { CALLER } from '../../subjects/in-process.ts';
import { measure } from './bytes.ts';

const TURNS = [100, 1_000] as const;
const MESSAGE_BYTES = 1_060;

/** Each turn returns the whole conversation with one more message of 1 KB. */
export async function conversation(folder: string): Promise<readonly Table[]> {
  const rows: Row[] = [];
  for (const turns of TURNS) {
    const { bytes, result } = await measure(folder, `conversation-${turns}`, talking(turns), async (runtime) => {
      const before = { cpu: process.cpuUsage(), ms: performance.now() };
      const { executionId } = await runtime.start(CALLER, { workflowId: `talking-${turns}`, input: { n: 0, messages: [] } });
      const view = await runtime.settled(CALLER.tenantId, executionId, 120_000);
      if (view.status !== 'completed') throw new Error(`${view.status}: ${view.error ?? 'no error'}`);
      const { user, system } = process.cpuUsage(before.cpu);
      return { cpuMs: (user + system) / 1_000, ms: performance.now() - before.ms, heap: process.memoryUsage().heapUsed };
    });
    const perMessage = (total: number | null): number | null => (total === null ? null : total / turns / MESSAGE_BYTES);
    rows.push({
      label: `${turns} turns`,
      values: [
        perMessage(bytes.bound),
        perMessage(bytes.written),
        perMessage(bytes.grown),
        result.cpuMs / turns,
        result.ms / turns,
        result.heap / 1024 / 1024,
      ],
    });
  }
  return [
    {
      title: `Conversation: per turn, with a message of ${MESSAGE_BYTES} B; bytes ÷ bytes of the message`,
      columns: [
        exact('bound to SQL statements', 2),
        exact('handed to write(2)', 2),
        exact('growth of the file', 2),
        cpu('CPU ms', 2),
        wall('ms', 2),
        cpu('heap MiB at the end', 0),
      ],
      rows,
    },
  ];
}

function talking(turns: number): JsonObject {
  return {
    workflow_id: `talking-${turns}`,
    version: '1',
    start_node: 'say',
    nodes: { say: { kind: { type: 'tool', tool_ref: 'say', input_mapping: { messages: '{{ state.messages }}' } } } },
    edges: [
      { from: 'say', to: 'say', condition: `state.n < ${turns}` },
      { from: 'say', to: 'end' },
    ],
  };
}
