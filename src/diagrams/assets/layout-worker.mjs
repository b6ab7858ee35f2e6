// Lays out one graph with Graphviz, in a thread of its own because a large graph takes seconds.
import { parentPort, workerData } from 'node:worker_threads';
import { instance } from '@viz-js/viz';

const viz = await instance();
const { status, output, errors } = viz.render(workerData.dot, { format: 'json' });
parentPort.postMessage({
  status,
  output,
  problems: errors.filter(({ level }) => level !== 'warning').map(({ message }) => message),
});
