import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ir } from '../../support/ir.ts';
import { api } from '../support/api.ts';

const ASK = ir('ask', { review: { type: 'human_approval', description: 'Release?' } }, [['review', 'end']]);
const CLIENTS = 300;

interface Reply {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A listening server that refuses what waits for more than a millisecond, and a client with many connections. */
async function flooded() {
  const lines: { readonly msg: string; readonly level: number }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { app, token, post } = await api({ config: { maxWaitMs: 1 }, log });
  await post('/workflows', { ir: ASK });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const authorization = `Bearer ${await token('developer')}`;
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  onTestFinished(() => agent.destroy());
  const send = (method: string, path: string, body?: object): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const request = http.request({ port, path, method, agent, headers: { authorization } }, (response) => {
        const read = async () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text: Buffer.concat(await response.toArray()).toString(),
          });
        read().catch(reject);
      });
      request.once('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const flood = () => Promise.all(Array.from({ length: CLIENTS }, () => send('POST', '/executions', { workflow_id: 'ask' })));
  /** Floods the server until it refuses. */
  const overload = async (): Promise<readonly Reply[]> => {
    for (;;) {
      const replies = await flood();
      if (replies.some(({ status }) => status === 503)) return replies;
    }
  };
  return { send, flood, overload, lines };
}

describe('an overloaded server', () => {
  it('refuses starts with 503 and Retry-After, and says so once in its log', async () => {
    const { overload, flood, lines } = await flooded();
    const replies = [...(await overload()), ...(await flood())];
    const refused = replies.filter(({ status }) => status !== 201);
    for (const { status, headers, text } of refused) {
      expect([status, headers['retry-after'], headers['x-request-id'] === undefined]).toEqual([503, '1', false]);
      expect(JSON.parse(text)).toEqual({
        error: 'service unavailable: requests wait too long already',
        code: 'overloaded',
      });
    }
    expect(replies.length).toBeGreaterThan(refused.length);
    const warnings = lines.filter(({ level }) => level === 40);
    expect(warnings.map(({ msg }) => msg)).toContain('overloaded: requests that add work are refused while others wait too long');
    expect(lines.filter(({ msg }) => msg === 'request')).toEqual([]);
  });

  it('always admits cancels, pauses, decisions, and probes, and answers reads', async () => {
    const { send, overload, flood } = await flooded();
    const started = (await flood()).find(({ status }) => status === 201);
    const { execution_id: id } = JSON.parse(started?.text ?? '{}') as { execution_id: string };
    await overload();
    const [refusals, ...admitted] = await Promise.all([
      flood(),
      send('GET', '/health'),
      send('GET', '/health/live'),
      send('GET', '/health/ready'),
      send('GET', `/executions/${id}`),
      send('POST', `/executions/${id}/pause`, {}),
      send('POST', `/executions/${id}/approve`, { decision: 'rejected' }),
      send('POST', `/executions/${id}/cancel`, {}),
    ]);
    expect(refusals.some(({ status }) => status === 503)).toBe(true);
    // Which of the last ones comes first is open; the others find the execution ended.
    for (const { status } of admitted) expect([200, 400, 409]).toContain(status);
    expect(admitted.slice(0, 5).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
});
