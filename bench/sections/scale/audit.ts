import { statSync } from 'node:fs';
import type { AuditFilter } from '../../../store/port/resources/audit.ts';
import { cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { generate, generatedId } from '../../subjects/generated.ts';
import { CALLER, withRuntime } from '../../subjects/in-process.ts';
import { WAITING } from '../../subjects/workflows.ts';

const EXECUTIONS = 1_000_000;
const ACTORS = 1_000;
const PAGE = 50;
const TIMES = 5;
/** A middle part of the time in which the log was written. */
const TENTH = { from: 0.45, to: 0.55 };

const EXECUTION_MS = 100;

/** Measures searches in the audit log of many executions. */
export async function audit(folder: string): Promise<readonly Table[]> {
  const fromMs = Date.now() - EXECUTIONS * EXECUTION_MS;
  const at = (share: number) => fromMs + EXECUTIONS * EXECUTION_MS * share;
  const buildingMs = performance.now();
  await generate(folder, {
    name: 'audit',
    count: EXECUTIONS,
    documents: [WAITING],
    vary: (n) => ({ atMs: fromMs + n * EXECUTION_MS, events: { actorId: `user-${n % ACTORS}`, actorType: 'human' } }),
  });
  const buildSeconds = (performance.now() - buildingMs) / 1000;
  return withRuntime(folder, 'audit', async ({ store, path }) => {
    const executionId = generatedId(EXECUTIONS - 1, at(1) - EXECUTION_MS);
    const filters: Readonly<Record<string, AuditFilter>> = {
      all: {},
      'by type': { type: 'workflow_started' },
      'by a type that does not occur': { type: 'workflow_failed' },
      'by actor': { actorId: 'user-7' },
      'by time': { fromMs: at(TENTH.from), beforeMs: at(TENTH.to) },
      'by time and type': { fromMs: at(TENTH.from), beforeMs: at(TENTH.to), type: 'workflow_started' },
      'by actor and type': { actorId: 'user-7', type: 'workflow_started' },
      'one execution': { executionId },
    };
    const rows: Row[] = [];
    for (const [label, filter] of Object.entries(filters)) {
      const search = async () => {
        const { total, entries } = await store.audit.find(CALLER.tenantId, filter, { limit: PAGE, offset: 0, after: null });
        for await (const _ of entries);
        return total;
      };
      rows.push(await timed(label, search));
    }
    const bytes = (statSync(path).size / EXECUTIONS).toFixed(0);
    const built = `${bytes} B each, built in ${buildSeconds.toFixed(1)} s`;
    return [
      {
        title: `Audit search: total and first ${PAGE} entries, of ${EXECUTIONS.toLocaleString('en-US')} executions (${built})`,
        columns: [wall('p50 ms', 1), cpu('CPU ms', 1), { ...exact('total', 0), better: 'more' }],
        rows,
      },
    ];
  });
}

async function timed(label: string, search: () => Promise<number>): Promise<Row> {
  const tookMs: number[] = [];
  let total = 0;
  const cpuMs = cpuMsOfThisProcess();
  for (let time = 0; time < TIMES; time += 1) {
    const startedMs = performance.now();
    total = await search();
    tookMs.push(performance.now() - startedMs);
  }
  return { label, values: [median(tookMs), (cpuMsOfThisProcess() - cpuMs) / TIMES, total] };
}
