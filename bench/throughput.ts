import { CALLER, complete, type Open, openRuntime } from './in-process.ts';
import { type Load, runLoad } from './load.ts';
import { cpuMsOfThisProcess } from './machine.ts';
import { copyDatabase, countEvents, recordWrites, replay } from './recorder.ts';
import { linear, WAITING } from './workflows.ts';

export const CONCURRENCIES = [1, 64, 256] as const;
const WARM_UP_MS = 600;
const MEASURE_MS = 2_000;
/** Number of executions whose writes are recorded and repeated. */
const RECORDED = { 1: 400, 64: 3_000, 256: 4_000 } as const;

const cpuMs = { server: cpuMsOfThisProcess, client: () => null };

/** Measures a three-node workflow from start to completion in this process. */
export async function inProcess(folder: string): Promise<readonly Load[]> {
  return withRuntime(folder, 'in-process', async ({ runtime }) => {
    await runtime.register(CALLER, linear(3));
    const once = () => complete(runtime, 'linear-3', { n: 0 });
    const loads: Load[] = [];
    for (const concurrency of CONCURRENCIES) {
      loads.push(await runLoad({ concurrency, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, once, cpuMs }));
    }
    return loads;
  });
}

/** Measures durable starts, without waiting for later steps. */
export async function startsInProcess(folder: string): Promise<readonly Load[]> {
  return withRuntime(folder, 'starts', async ({ runtime }) => {
    await runtime.register(CALLER, WAITING);
    const once = () => runtime.start(CALLER, { workflowId: 'waiting', input: { n: 0 } });
    const loads: Load[] = [];
    for (const concurrency of CONCURRENCIES) {
      loads.push(await runLoad({ concurrency, warmUpMs: WARM_UP_MS / 2, measureMs: MEASURE_MS / 2, once, cpuMs }));
    }
    return loads;
  });
}

export interface RawLoad {
  readonly concurrency: number;
  readonly executions: number;
  /** Three-node executions per second that the plain loop writes. */
  readonly perSecond: number;
  readonly statements: number;
  readonly transactions: number;
}

/**
 * The upper bound: repeats the statements that the runtime executed, with the same values in the same transactions, in a plain better-sqlite3
 * loop on a copy of the database.
 */
export async function rawLoop(folder: string): Promise<readonly RawLoad[]> {
  const raw: RawLoad[] = [];
  for (const concurrency of CONCURRENCIES) {
    raw.push(
      await withRuntime(folder, `recorded-${concurrency}`, async ({ runtime, path }) => {
        await runtime.register(CALLER, linear(3));
        await complete(runtime, 'linear-3', { n: 0 });
        const copy = `${path}.raw`;
        copyDatabase(path, copy);
        let left: number = RECORDED[concurrency];
        const { writes } = await recordWrites(async () => {
          const lane = async () => {
            while (left-- > 0) await complete(runtime, 'linear-3', { n: 0 });
          };
          await Promise.all(Array.from({ length: concurrency }, lane));
        });
        const seconds = replay(copy, writes);
        const [written, expected] = [countEvents(copy), countEvents(path)];
        if (written !== expected) throw new Error(`the plain loop wrote ${written} events, the runtime ${expected}`);
        return {
          concurrency,
          executions: RECORDED[concurrency],
          perSecond: RECORDED[concurrency] / seconds,
          statements: writes.length,
          transactions: writes.filter(({ sql }) => sql === 'COMMIT').length,
        };
      }),
    );
  }
  return raw;
}

async function withRuntime<T>(folder: string, name: string, body: (open: Open) => Promise<T>): Promise<T> {
  const open = await openRuntime(folder, name);
  try {
    return await body(open);
  } finally {
    await open.close();
  }
}
