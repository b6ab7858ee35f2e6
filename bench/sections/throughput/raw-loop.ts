import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Column, cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { CALLER, completeMany, withRuntime } from '../../subjects/in-process.ts';
import { COMMITS, RawWriter } from '../../subjects/raw-writer.ts';
import { copyDatabase, countRows, recordStatements, repeat } from '../../subjects/recorder.ts';
import { linear } from '../../subjects/workflows.ts';
import { CONCURRENCIES } from './in-process.ts';

/** Executions of one round. */
const EXECUTIONS = { 1: 30, 64: 768, 256: 768 } as const;
const ROUNDS = 7;
const WARM_UP = 2_048;
/** Of the statements that are recorded and executed again. */
const RECORDED = 64;
const RECORDED_EXECUTIONS = 3_200;

const COLUMNS: readonly Column[] = [
  wall('a second', 0, 'more'),
  wall('plain loop, a second', 0, 'more'),
  wall('÷ plain loop', 2, 'more'),
  cpu('CPU µs each', 0),
  cpu('plain loop, CPU µs each', 0),
  exact('plain loop, file B each', 0),
];
const STATEMENT_COLUMNS: readonly Column[] = [
  wall('a second', 0, 'more'),
  cpu('CPU µs each', 0),
  wall('commits a transaction', 1, 'more'),
];

/**
 * The upper bound of the storage, twice: the facts of three-node executions in a plain loop with a schema of its own, in alternation with the
 * runtime, so that both get the same disk; and the statements that the runtime executed, with the same values in the same transactions.
 */
export async function rawLoop(folder: string): Promise<readonly Table[]> {
  return [
    {
      title: 'Three-node executions in process, in alternation with a plain better-sqlite3 loop that writes the same facts',
      columns: COLUMNS,
      rows: await alternating(folder),
    },
    {
      title: 'The same statements as the runtime, in a plain loop',
      columns: STATEMENT_COLUMNS,
      rows: [await ownStatements(folder)],
    },
  ];
}

/** Medians of the rounds; the ratio is that of one round. */
async function alternating(folder: string): Promise<readonly Row[]> {
  return withRuntime(folder, 'alternating', async ({ runtime }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, 64);
    const rows: Row[] = [];
    for (const concurrency of CONCURRENCIES) {
      const path = join(folder, `plain-${concurrency}.db`);
      const writer = new RawWriter(path);
      const plain = (executions: number) => {
        for (let i = 0; i < executions; i += concurrency) writer.write(concurrency);
      };
      plain(WARM_UP / (concurrency === 1 ? 8 : 1));
      const executions = EXECUTIONS[concurrency];
      const pairs: (readonly [own: Taken, plain: Taken])[] = [];
      for (let round = 0; round < ROUNDS; round += 1)
        pairs.push([
          await taken(() => completeMany(runtime, executions, concurrency)),
          await taken(async () => plain(executions)),
        ]);
      writer.close();
      const perSecond = (side: 0 | 1) => median(pairs.map((pair) => (executions * 1000) / pair[side].wallMs));
      const cpuUs = (side: 0 | 1) => median(pairs.map((pair) => (pair[side].cpuMs * 1000) / executions));
      const ratio = median(pairs.map(([own, bare]) => bare.wallMs / own.wallMs));
      const bytes = statSync(path).size / writer.executions;
      rows.push({ label: `${concurrency} at once`, values: [perSecond(0), perSecond(1), ratio, cpuUs(0), cpuUs(1), bytes] });
    }
    return rows;
  });
}

interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function taken(body: () => Promise<void>): Promise<Taken> {
  const cpuMs = cpuMsOfThisProcess();
  const startedMs = performance.now();
  await body();
  return { wallMs: performance.now() - startedMs, cpuMs: cpuMsOfThisProcess() - cpuMs };
}

async function ownStatements(folder: string): Promise<Row> {
  return withRuntime(folder, 'recorded', async ({ runtime, path }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, RECORDED);
    const copy = `${path}.raw`;
    copyDatabase(path, copy);
    const { statements } = await recordStatements(() => completeMany(runtime, RECORDED_EXECUTIONS, RECORDED));
    const cpuMs = cpuMsOfThisProcess();
    const seconds = repeat(copy, statements);
    const usedMs = cpuMsOfThisProcess() - cpuMs;
    const [written, expected] = [countRows(copy), countRows(path)];
    if (written !== expected) throw new Error(`the plain loop wrote ${written} rows, the runtime ${expected}`);
    const transactions = statements.filter(({ sql }) => sql === 'COMMIT').length;
    return {
      label: `own statements, ${RECORDED} at once`,
      values: [
        RECORDED_EXECUTIONS / seconds,
        (usedMs * 1000) / RECORDED_EXECUTIONS,
        (RECORDED_EXECUTIONS * COMMITS) / transactions,
      ],
    };
  });
}
