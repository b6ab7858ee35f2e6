import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Column, cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { CALLER, completeMany, withRuntime } from '../../subjects/in-process.ts';
import { COMMITS, RawWriter } from '../../subjects/raw-writer.ts';
import { copyDatabase, countRows, recordStatements, repeat } from '../../subjects/recorder.ts';
import { linear } from '../../subjects/workflows.ts';
import { CONCURRENCIES } from './in-process.ts';

/** Executions that are written, and those before them that compile the code. */
const EXECUTIONS = { 1: 400, 64: 6_400, 256: 7_680 } as const;
const WARM_UP = 1_280;
/** Of the statements that are recorded and executed again. */
const RECORDED = 64;

const COLUMNS: readonly Column[] = [
  wall('a second', 0, 'more'),
  cpu('CPU µs each', 0),
  wall('commits a transaction', 1, 'more'),
  exact('file B each', 0),
];

/**
 * The upper bound of the storage, twice: the facts of three-node executions in a plain loop with a schema of its own, which stays the same when
 * the runtime changes; and the statements that the runtime executed, with the same values in the same transactions.
 */
export async function rawLoop(folder: string): Promise<readonly Table[]> {
  const rows: Row[] = CONCURRENCIES.map((concurrency) => plainLoop(folder, concurrency));
  rows.push(await ownStatements(folder, RECORDED));
  return [{ title: 'Three-node executions in a plain better-sqlite3 loop, without a runtime', columns: COLUMNS, rows }];
}

function plainLoop(folder: string, concurrency: keyof typeof EXECUTIONS): Row {
  const path = join(folder, `plain-${concurrency}.db`);
  const executions = EXECUTIONS[concurrency];
  const writer = new RawWriter(path);
  for (let i = 0; i < WARM_UP; i += 64) writer.write(64);
  const cpuMs = cpuMsOfThisProcess();
  const startedMs = performance.now();
  for (let i = 0; i < executions; i += concurrency) writer.write(concurrency);
  const tookMs = performance.now() - startedMs;
  const usedMs = cpuMsOfThisProcess() - cpuMs;
  writer.close();
  return {
    label: `plain loop, ${concurrency} at once`,
    values: [
      (executions * 1000) / tookMs,
      (usedMs * 1000) / executions,
      concurrency,
      statSync(path).size / (executions + WARM_UP),
    ],
  };
}

async function ownStatements(folder: string, concurrency: keyof typeof EXECUTIONS): Promise<Row> {
  return withRuntime(folder, `recorded-${concurrency}`, async ({ runtime, path }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, concurrency);
    const copy = `${path}.raw`;
    copyDatabase(path, copy);
    const executions = EXECUTIONS[concurrency];
    const { statements } = await recordStatements(() => completeMany(runtime, executions, concurrency));
    const cpuMs = cpuMsOfThisProcess();
    const seconds = repeat(copy, statements);
    const usedMs = cpuMsOfThisProcess() - cpuMs;
    const [written, expected] = [countRows(copy), countRows(path)];
    if (written !== expected) throw new Error(`the plain loop wrote ${written} rows, the runtime ${expected}`);
    const transactions = statements.filter(({ sql }) => sql === 'COMMIT').length;
    return {
      label: `own statements, ${concurrency} at once`,
      values: [executions / seconds, (usedMs * 1000) / executions, (executions * COMMITS) / transactions, null],
    };
  });
}
