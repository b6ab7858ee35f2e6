// The thread of `analyseInThread`: analyses one document, answers and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { analyse } from '../analysis.ts';
import type { AnalysisRequest } from './analyse-in-thread.ts';

const { source, paths, steps, budgetMs } = workerData as AnalysisRequest;
const endMs = performance.now() + budgetMs;
parentPort?.postMessage(analyse(JSON.parse(source), { paths, steps, isOver: () => performance.now() > endMs }));
