import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { packageModule } from '../../../store/package-files.ts';
import type { CheckedFile } from '../check-object.ts';

/** A workflow of thousands of nodes takes about 300 MB to check. */
const MAX_HEAP_MB = 768;

/** What the thread answers: a plain copy of what `checkWorkflow` returns. */
export type CheckedInThread = Pick<CheckedFile, 'workflows' | 'diagnostics' | 'localTools'>;

/**
 * The same as `checkWorkflow` of a request, in a thread of its own: checking thousands of nodes takes seconds, in which nothing else would run. Rejects
 * if the thread ends without an answer, because the text needs too much memory.
 */
export async function checkInThread(text: string): Promise<CheckedInThread> {
  const thread = new Worker(packageModule('src/authoring/thread/worker'), {
    workerData: text,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  try {
    const [checked] = (await once(thread, 'message')) as [CheckedInThread];
    return checked;
  } finally {
    await thread.terminate();
  }
}
