import { Worker } from 'node:worker_threads';

const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
let longest = 0, beats = 0, failures = 0, stopped = false;
parentPort.once('message', () => { stopped = true; });
const beat = () => {
  const began = performance.now();
  const next = (ok) => {
    longest = Math.max(longest, performance.now() - began);
    beats += 1;
    if (!ok) failures += 1;
    if (stopped) { parentPort.postMessage({ longest, beats, failures }); agent.destroy(); }
    else setTimeout(beat, 20);
  };
  http.get(workerData + '/health', { agent }, (response) => { response.resume().once('end', () => next(response.statusCode === 200)); })
    .once('error', () => next(false));
};
beat();
`;

export interface Pulse {
  /** Longest time the server took to answer GET /health, in ms. */
  readonly longest: number;
  readonly beats: number;
  readonly failures: number;
}

/** Asks for the server's health all the time, from a thread of its own so that the tests' work does not count; stops when asked. */
export function takePulse(url: string): { stop(): Promise<Pulse> } {
  const worker = new Worker(SOURCE, { eval: true, workerData: url });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage('stop');
      }),
  };
}
