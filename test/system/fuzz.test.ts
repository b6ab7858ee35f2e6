import http from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { startHealthProbe } from '../support/health-probe.ts';
import { ir, python } from '../support/ir.ts';
import { linear } from '../support/minimal-workflows.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { Random } from '../support/random.ts';
import { sharedServer } from '../support/server.ts';
import { type Malformed, type Present, Vandal } from './malformed-requests.ts';
import { claim, run, settled } from './recorded-calls.ts';

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? (TRIES_ALL ? 10_000 : 500));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const AT_ONCE = 16;
const MIB = 1024 * 1024;
/** A lease expires after thirty seconds, and the requests may take longer. */
const RENEW_MS = 5_000;

const server = sharedServer({ env: { NODE_OPTIONS: '--max-old-space-size=1024' } });
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
let present: Present;
/** Fence of the claimed item. */
let fence = 0;

interface Reply {
  readonly status: number;
  readonly text: string;
}

function send({ method, path, headers, body }: Malformed): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const request = http.request(server().url, {
      agent,
      method,
      path,
      headers: { ...headers, ...(length === 0 ? {} : { 'content-length': length }) },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.once('error', reject);
    });
    request.end(length === 0 ? undefined : body);
  });
}

/** Describes an incorrect reply, or null: every refusal must be a 4xx with the reason, in JSON, without a stack trace. */
function complaint({ status, text }: Reply): string | null {
  if (status < 400 || status > 499) return `status ${status}`;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error !== 'string' || error === '') return 'no error text';
    return /\n\s+at /.test(error) ? 'a stack trace' : null;
  } catch {
    return 'no JSON';
  }
}

/** Everything that a client can read, without the times of heartbeats. */
async function everything(): Promise<unknown> {
  const { client } = server();
  const { executions } = await client.executions({ limit: 1_000 });
  return {
    workflows: await client.workflows({ limit: 1_000 }),
    executions: await Promise.all(
      executions.map(async ({ id }) => [await client.execution(id), await client.events(id), await client.approvals(id)]),
    ),
    tokens: (await client.tokens()).tokens.map(({ id, revoked_at }) => [id, revoked_at]),
    workers: (await client.workers()).workers.map(({ id }) => id).sort(),
  };
}

beforeAll(async () => {
  const { client, token } = server();
  const both = ir(
    'both',
    {
      split: { type: 'parallel', branches: ['ask', 'job'] },
      ask: { type: 'human_approval', description: 'ok?' },
      job: python('job'),
    },
    [
      ['ask', 'end'],
      ['job', 'end'],
    ],
  );
  const executionId = await run(client, both);
  const { id: workItemId, lease_fence } = await claim(client, 'python_tool');
  fence = lease_fence;
  await client.registerWorkflow(linear);
  present = { token, executionId, workItemId };
});

describe('malformed requests', () => {
  it(`${REQUESTS} of them are refused, change nothing, and delay no other request`, async () => {
    const before = await everything();
    const vandal = new Vandal(new Random(SEED), present);
    const probe = startHealthProbe(server());
    const complaints: string[] = [];
    let left = REQUESTS;
    const renew = () => server().client.heartbeat(present.workItemId, { worker_id: 'w1', lease_fence: fence });
    await renew();
    const renewing = setInterval(() => void renew().catch((error) => complaints.push(String(error))), RENEW_MS);
    const vandalise = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const request = vandal.request();
        const reply = await send(request);
        const problem = complaint(reply);
        if (problem === null) continue;
        const { method, path, headers, body } = request;
        complaints.push(
          `${problem}: ${method} ${path} ${JSON.stringify(headers)} ${body.toString().slice(0, 300)} → ${reply.text.slice(0, 300)}`,
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, vandalise)).finally(() => clearInterval(renewing));
    const { longestMs, probes, failures } = await probe.stop();
    expect(complaints.slice(0, 20), `${complaints.length} complaints`).toEqual([]);
    expect(await everything()).toEqual(before);
    expect(probes).toBeGreaterThan(0);
    expect(failures).toBe(0);
    expect(longestMs).toBeLessThan(1_000);
  });

  it('that are not HTTP only close their connection', async () => {
    const random = new Random(SEED);
    const port = Number(new URL(server().url).port);
    const sendRaw = (bytes: Buffer): Promise<string> =>
      new Promise((resolve) => {
        let answer = '';
        const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('data', (chunk) => {
          answer += chunk.toString();
        });
        socket.once('error', () => {});
        socket.once('close', () => resolve(answer));
      });
    for (let n = 0; n < 100; n += 1) {
      const noise = Buffer.from(Array.from({ length: random.between(1, 500) }, () => random.between(0, 255)));
      expect(await sendRaw(noise)).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
    }
    expect(
      await sendRaw(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n')),
    ).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`))).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await server().client.health()).toMatchObject({ status: 'ok' });
  });
});

describe('a malicious request', () => {
  const flood = (from: string, to: string, text: string): string => from + text + to;
  const condition = (text: string): JsonObject =>
    ir(
      'bomb',
      {
        gate: {
          type: 'condition',
          branches: [
            { condition: text, target: 'a' },
            { condition: null, target: 'b' },
          ],
        },
        a: python('a'),
        b: python('b'),
      },
      [
        ['a', 'end'],
        ['b', 'end'],
      ],
    );
  const template = (text: string): JsonObject => ir('bomb', { a: python('a', { input_mapping: { x: text } }) }, [['a', 'end']]);
  const chain = (length: number): JsonObject => {
    const nodes = Object.fromEntries(Array.from({ length }, (_, n) => [`n${n}`, python('f')]));
    return ir(
      'long',
      nodes,
      Array.from({ length }, (_, n) => [`n${n}`, n + 1 < length ? `n${n + 1}` : 'end'] as const),
    );
  };

  it.each<[name: string, path: string, body: () => string, statuses: readonly number[]]>([
    [
      '10,000 levels of nesting',
      '/executions',
      () => flood('{"workflow_id":"lin","input":', '}', '['.repeat(10_000) + ']'.repeat(10_000)),
      [400],
    ],
    ['a body of 3 MiB', '/executions', () => JSON.stringify({ workflow_id: 'lin', input: 'x'.repeat(3 * MIB) }), [413]],
    ['a string of 2 MiB', '/executions', () => JSON.stringify({ workflow_id: 'lin', input: 'x'.repeat(2 * MIB) }), [413]],
    ['a workflow id of almost 2 MiB', '/executions', () => JSON.stringify({ workflow_id: 'x'.repeat(2 * MIB - 100) }), [400]],
    [
      '200,000 numbers',
      '/executions',
      () => JSON.stringify({ workflow_id: 'nothing', input: Array.from({ length: 200_000 }, () => 1e300) }),
      [404],
    ],
    ['a workflow of 9,000 nodes', '/workflows', () => JSON.stringify({ ir: chain(9_000) }), [400, 413]],
    ['a condition of 1 MiB', '/workflows', () => JSON.stringify({ ir: condition(`state.a == ${'('.repeat(MIB)}`) }), [400]],
    [
      'a condition with 100,000 parentheses',
      '/workflows',
      () => JSON.stringify({ ir: condition(`${'('.repeat(100_000)}1${')'.repeat(100_000)}`) }),
      [400],
    ],
    [
      'a condition with 100,000 terms',
      '/workflows',
      () => JSON.stringify({ ir: condition(Array.from({ length: 100_000 }, () => 'state.a').join(' and ')) }),
      [400],
    ],
    ['a template of 1 MiB', '/workflows', () => JSON.stringify({ ir: template('{{ state.a }}'.repeat(80_000)) }), [400]],
    [
      'a template with 100,000 braces',
      '/workflows',
      () => JSON.stringify({ ir: template('{{'.repeat(50_000) + '}}'.repeat(50_000)) }),
      [400],
    ],
    [
      'a mapping nested 1,000 levels deep',
      '/workflows',
      () => JSON.stringify({ ir: template('§') }).replace('"§"', '['.repeat(1_000) + ']'.repeat(1_000)),
      [400],
    ],
  ])('%s is refused without blocking anybody', async (_, path, body, statuses) => {
    const headers = { authorization: `Bearer ${present.token}` };
    const probe = startHealthProbe(server());
    const reply = await send({ method: 'POST', path, headers, body: body() });
    const { longestMs, failures } = await probe.stop();
    expect(complaint(reply)).toBeNull();
    expect(statuses).toContain(reply.status);
    expect(failures).toBe(0);
    expect(longestMs).toBeLessThan(1_000);
  });

  it.each<[name: string, document: JsonObject]>([
    ['multiplies a text', condition("('x' * 1000) * 1000000 == 'x'")],
    [
      'searches for a pattern with exponential backtracking',
      condition("state.text.split('a').join('b') == 'b' and 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' in state.text"),
    ],
    [
      'doubles a text repeatedly',
      condition('(state.text + state.text + state.text + state.text) == (state.text + state.text + state.text + state.text)'),
    ],
  ])('a condition that %s is worked out within bounds', async (_, document) => {
    const { client } = server();
    const probe = startHealthProbe(server());
    const id = await run(client, document, { text: 'a'.repeat(MIB) });
    const { status } = await client.execution(id);
    expect(status).toBe('running');
    await client.cancel(id);
    expect((await probe.stop()).longestMs).toBeLessThan(1_000);
    await settled(client, id);
  });
});
