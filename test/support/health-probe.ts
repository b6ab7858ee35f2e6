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
let longestMs = 0, probes = 0, failures = 0, stopped = false;
parentPort.once('message', () => { stopped = true; });
const probe = () => {
  const began = performance.now(), cpuBefore = cpuMs();
  const next = (ok) => {
    const tookMs = performance.now() - began, cpuAfter = cpuMs();
    longestMs = Math.max(longestMs, cpuBefore === null || cpuAfter === null ? tookMs : Math.min(tookMs, cpuAfter - cpuBefore));
    probes += 1;
    if (!ok) failures += 1;
    if (stopped) { parentPort.postMessage({ longestMs, probes, failures }); agent.destroy(); }
    else setTimeout(probe, 20);
  };
  http.get(url + '/health', { agent }, (response) => { response.resume().once('end', () => next(response.statusCode === 200)); })
    .once('error', () => next(false));
};
probe();
`;

export interface HealthProbe {
  /**
   * Longest response time of GET /health, in ms. On Linux it counts only CPU time of the server, so that a busy machine is not mistaken for a
   * blocked event loop.
   */
  readonly longestMs: number;
  readonly probes: number;
  readonly failures: number;
}

/** Requests GET /health continuously until it is stopped, from a worker thread, so that the load of the tests does not count. */
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
