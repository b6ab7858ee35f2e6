import { compile } from '../../machines/compile/index.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { save } from '../../machines/step/index.ts';
import type { Program } from '../../machines/step/program.ts';
import { readTail } from '../../src/runtime/log/read-log.ts';
import type { ExecutionRow } from '../../store/port/executions.ts';
import type { Store } from '../../store/port/store.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { replay } from './replay.ts';

const PAGE = 500;

/**
 * Replays the log of every execution of a database and compares the result with its row, and with its checkpoint byte for byte. Returns the
 * number of compared executions and the differences.
 */
export async function replayAll(path: string): Promise<{ readonly compared: number; readonly differing: readonly string[] }> {
  const store = await openSqlite({ path, nowMs: Date.now });
  try {
    const programs = new Map<string, Program>();
    const differing: string[] = [];
    let compared = 0;
    for (let offset = 0; ; offset += PAGE) {
      const { rows } = await store.tenant('default').executions({ limit: PAGE, offset });
      for (const row of rows) {
        const problem = await difference(store, row, programs);
        if (problem !== null) differing.push(`${row.workflowId} ${row.id}: ${problem}`);
        compared += 1;
      }
      if (rows.length < PAGE) return { compared, differing };
    }
  } finally {
    await store.close();
  }
}

async function difference(store: Store, row: ExecutionRow, programs: Map<string, Program>): Promise<string | null> {
  const stored = await store.checkpoint(row.id);
  try {
    const { events: log } = await readTail(store, row.tenantId, row.id, 0, row.seq);
    const program = await programOf(store, row, programs);
    const env = { executionId: row.id, stepLimit: 0, runtimeId: '' };
    const run = replay(program, null, log, env);
    if (run.status !== row.status || run.steps !== row.steps || run.localWork !== row.localWork)
      return `replayed to ${run.status}, ${run.steps} steps; stored is ${row.status}, ${row.steps}`;
    if (stored === null) return null;
    const then = stored.seq === row.seq ? run : replay(program, null, log.slice(0, stored.seq), env);
    return save(then) === stored.text ? null : `replayed to ${save(then)}\nstored is ${stored.text}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function programOf(store: Store, row: ExecutionRow, programs: Map<string, Program>): Promise<Program> {
  const known = programs.get(row.revision);
  if (known !== undefined) return known;
  const document = await store.revision(row.tenantId, row.revision);
  const program = compile(normalise(JSON.parse(document ?? 'null')).workflow, row.revision);
  programs.set(row.revision, program);
  return program;
}
