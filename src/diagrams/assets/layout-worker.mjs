// Lays out one graph. A thread of its own: a large one takes seconds, and nobody else is to wait for it.
import { parentPort, workerData } from 'node:worker_threads';
import { instance } from '@viz-js/viz';

const viz = await instance();
const { status, output, errors } = viz.render(workerData.dot, { format: 'json' });
parentPort.postMessage({
  status,
  output,
  problems: errors.filter(({ level }) => level !== 'warning').map(({ message }) => message),
});
