import type { Store } from '../../store/port/store.ts';
import { CronJobs } from '../control/cron/jobs.ts';
import { systemClock } from '../runtime/clock.ts';
import { createRuntime } from '../runtime/index.ts';
import type { RuntimeSettings } from '../runtime/options.ts';
import type { LibraryParts } from './runtime.ts';

/** A runtime with the schedules of its store, which it starts when they are due. Runtimes on one database start each time once. */
export async function openRuntime(
  options: RuntimeSettings & { readonly store: Store },
): Promise<Omit<LibraryParts, 'toolsOf' | 'workflows'>> {
  const { store, clock = systemClock, onError = () => undefined } = options;
  const runtime = await createRuntime(options);
  const cron = new CronJobs({ store, runtime, clock, onError });
  const unsubscribe = runtime.onControl((change) => {
    if (change?.type.startsWith('cron_') ?? true) cron.runner.changed();
  });
  await cron.runner.start();
  const close = async (graceMs?: number): Promise<void> => {
    unsubscribe();
    await Promise.all([runtime.close(graceMs), cron.runner.close()]);
  };
  return { runtime, cron, nowMs: () => clock.nowMs(), close };
}
