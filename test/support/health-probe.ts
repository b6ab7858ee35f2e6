import { Worker } from 'node:worker_threads';

const SOURCE = `
const { parentPort, workerData: { url, pid } } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
const cpuMs = () => {
  try {
    const fields = readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
};
let longest = 0, beats = 0, failures = 0, stopped = false;
parentPort.once('message', () => { stopped = true; });
const beat = () => {
  const began = performance.now(), cpuBefore = cpuMs();
  const next = (ok) => {
    const tookMs = performance.now() - began, cpuAfter = cpuMs();
    longest = Math.max(longest, cpuBefore === null || cpuAfter === null ? tookMs : Math.min(tookMs, cpuAfter - cpuBefore));
    beats += 1;
    if (!ok) failures += 1;
    if (stopped) { parentPort.postMessage({ longest, beats, failures }); agent.destroy(); }
    else setTimeout(beat, 20);
  };
  http.get(url + '/health', { agent }, (response) => { response.resume().once('end', () => next(response.statusCode === 200)); })
    .once('error', () => next(false));
};
beat();
`;

export interface HealthProbe {
  /**
   * Longest time GET /health had to wait for the server, in ms. Where the system tells (Linux), only time in which the server
   * was computing counts, so that a busy machine does not pass for a blocked event loop.
   */
  readonly longest: number;
  readonly beats: number;
  readonly failures: number;
}

/** Asks for the server's health all the time, from a thread of its own so that the tests' work does not count; stops when asked. */
export function startHealthProbe({ url, pid }: { readonly url: string; readonly pid: number }): { stop(): Promise<HealthProbe> } {
  const worker = new Worker(SOURCE, { eval: true, workerData: { url, pid } });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage('stop');
      }),
  };
}
