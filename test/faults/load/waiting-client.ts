import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** The CPU time of a process's main thread in ms. */
const CPU_MS = "Number(readFileSync('/proc/' + pid + '/task/' + pid + '/schedstat', 'latin1').split(' ')[0]) / 1e6";

/** Loaded into the server: each reply that is asked to says how much CPU time the server had used when it was written. */
const STAMP = `
import { readFileSync } from 'node:fs';
import { ServerResponse } from 'node:http';
const { writeHead } = ServerResponse.prototype;
const { pid } = process;
ServerResponse.prototype.writeHead = function stamped(...given) {
  if (this.req.headers['x-cpu-ms'] !== undefined) this.setHeader('x-cpu-ms', ${CPU_MS});
  return writeHead.apply(this, given);
};
`;

const CLIENT = `
const { parentPort, workerData: { url, path, token, body, pid } } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json', 'content-length': body.length, 'x-cpu-ms': '' };
const once = () => new Promise((resolve, reject) => {
  let before = 0;
  const request = http.request(url + path, { method: 'POST', agent, headers }, (reply) => {
    const cpuMs = Number(reply.headers['x-cpu-ms']) - before;
    reply.resume().once('end', () => resolve({ status: reply.statusCode, cpuMs }));
  });
  const send = () => {
    before = ${CPU_MS};
    request.end(body);
  };
  request.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()));
  request.once('error', reject);
});
parentPort.on('message', async (times) => {
  const replies = [];
  for (let n = 0; n < times; n += 1) replies.push(await once());
  parentPort.postMessage(replies);
});
`;

/** The environment of a server whose replies say how much CPU time it has used. */
export function stampedReplies(folder: string): { readonly NODE_OPTIONS: string } {
  const file = join(folder, 'stamp.mjs');
  writeFileSync(file, STAMP);
  return { NODE_OPTIONS: `--import=${file}` };
}

export interface WaitedReply {
  readonly status: number;
  /** What the server has computed between the request and the reply. */
  readonly cpuMs: number;
}

/**
 * Sends the same request again and again, and measures for how much work of the server each waits: neither how busy the machine is, nor how soon this
 * process gets to its replies counts.
 */
export class WaitingClient {
  readonly #worker: Worker;

  constructor(
    { url, pid }: { readonly url: string; readonly pid: number },
    request: { path: string; token: string; body: string },
  ) {
    this.#worker = new Worker(CLIENT, { eval: true, workerData: { url, pid, ...request } });
  }

  send(times: number): Promise<readonly WaitedReply[]> {
    this.#worker.postMessage(times);
    // Rejects at an error of the thread.
    return once(this.#worker, 'message').then(([replies]) => replies as readonly WaitedReply[]);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
