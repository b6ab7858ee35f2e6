import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { exact, type Table } from '../../figures.ts';
import { CALLER, completeMany, withRuntime } from '../../subjects/in-process.ts';
import { linear } from '../../subjects/workflows.ts';

const CONCURRENCY = 64;
const WARM_UP = 6_400;
/** So few that no full collection is due meanwhile. */
const MEASURED = 1_600;
const ROUNDS = 6;
const OLD_SPACES = new Set(['old_space', 'large_object_space']);
/** When a scavenge begins depends on the moment: two runs differ by less. */
const TOLERANCE = 0.1;

/** Measures what the young generation's collections move to the old one, where only a full collection frees it. */
export function survivors(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'survivors', async ({ runtime }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, CONCURRENCY);
    const bytes: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) bytes.push(await moved(() => completeMany(runtime, MEASURED, CONCURRENCY)));
    return [
      {
        title: `Kept beyond the young generation, ${CONCURRENCY} at once`,
        columns: [{ ...exact('KiB', 2), tolerance: TOLERANCE }],
        rows: [{ label: 'three-node execution', values: [Math.min(...bytes) / 1024 / MEASURED] }],
      },
    ];
  });
}

async function moved(body: () => Promise<void>): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  await setTimeout(10);
  let fullCollections = 0;
  const observer = new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (Reflect.get(entry, 'detail') as { readonly kind: number }).kind);
    fullCollections += kinds.filter((kind) => kind !== constants.NODE_PERFORMANCE_GC_MINOR).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const before = oldBytes();
  await body();
  const after = oldBytes();
  await setTimeout(10);
  observer.disconnect();
  if (fullCollections > 0) throw new Error(`${fullCollections} full collections while memory was measured`);
  return after - before;
}

function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => OLD_SPACES.has(name))
    .reduce((sum, { space_used_size: used }) => sum + used, 0);
}
