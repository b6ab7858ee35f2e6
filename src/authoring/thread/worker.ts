// The thread of `checkInThread`: checks one text, answers and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { checkWorkflow } from '../check.ts';
import type { CheckedInThread } from './check-in-thread.ts';

const { workflows, diagnostics, localTools } = checkWorkflow(String(workerData), '', 'request');
parentPort?.postMessage({ workflows, diagnostics, localTools } satisfies CheckedInThread);
