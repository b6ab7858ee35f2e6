import { Worker } from 'node:worker_threads';
import { packageModule } from '../../../store/package-files.ts';
import type { WorkflowAnalysis } from '../analysis.ts';

const MAX_HEAP_MB = 512;

/** The analysis has reached a limit of its thread: of memory, for which the workflow is too large, or of time, since the machine is busy. */
export class AnalysisStopped extends Error {
  readonly limit: 'memory' | 'time';

  constructor(limit: 'memory' | 'time', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AnalysisStopped';
    this.limit = limit;
  }
}

/** The document as JSON text, and the limits of its exploration. */
export interface AnalysisRequest {
  readonly source: string;
  readonly paths: number;
  readonly steps: number;
  readonly budgetMs: number;
}

/**
 * `analyse` in a thread of its own, which explores for `budgetMs` and is stopped after `limitMs`. Rejects with `AnalysisStopped` if the thread
 * needs longer or too much memory, and with the reason of the signal.
 */
export async function analyseInThread(
  request: AnalysisRequest,
  limitMs: number,
  signal?: AbortSignal,
): Promise<WorkflowAnalysis> {
  signal?.throwIfAborted();
  const thread = new Worker(packageModule('src/testing/thread/worker'), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  let stop = (): void => {};
  let limit: NodeJS.Timeout | undefined;
  try {
    return await new Promise<WorkflowAnalysis>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new AnalysisStopped('memory', 'the workflow needs too much memory to be analysed', { cause })
            : cause,
        ),
      );
      limit = setTimeout(() => reject(new AnalysisStopped('time', `the analysis has not ended after ${limitMs} ms`)), limitMs);
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
    });
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', stop);
    await thread.terminate();
  }
}
