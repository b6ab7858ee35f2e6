import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JamjetClient, Unreachable } from '../../src/client/index.ts';
import { startServer } from '../support/in-process-server.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { Random } from '../support/random.ts';
import { launchServer, type Server, temporaryFolder } from '../support/server.ts';
import { eventually } from './recorded-calls.ts';

const ROUNDS = TRIES_ALL ? 5 : 2;
const CUSTOMERS = 4;
const FLOW = {
  workflow_id: 'noted',
  version: '1',
  nodes: {
    wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
    again: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
  },
  edges: [
    { from: 'wait', to: 'again' },
    { from: 'again', to: 'end' },
  ],
};

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const folder = temporaryFolder();
const random = new Random(7);
const started = new Set<string>();
/** `execution sequence`, in the order of arrival. */
const hooked: string[] = [];
const streamed: string[] = [];

const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { execution_id, event } = JSON.parse(body) as { execution_id: string; event: { sequence: number } };
    hooked.push(`${execution_id} ${event.sequence}`);
    response.end();
  });
});

async function business(client: JamjetClient): Promise<never> {
  const customer = async (): Promise<never> => {
    for (;;) {
      const { execution_id } = await client.start({ workflow_id: FLOW.workflow_id });
      started.add(execution_id);
      await client.sendEvent(execution_id, { key: 'go', payload: null });
      await client.sendEvent(execution_id, { key: 'go', payload: null });
    }
  };
  await Promise.all(Array.from({ length: CUSTOMERS }, customer));
  throw new Error('customers never stop by themselves');
}

/** Follows the tenant from the last position until the server exits. */
let position: string | undefined;
async function listen(client: JamjetClient, signal?: AbortSignal): Promise<void> {
  const options = { ...(position === undefined ? {} : { after: position }), ...(signal === undefined ? {} : { signal }) };
  for await (const { event, position: at } of client.live.tenant(options)) {
    streamed.push(`${event.execution_id} ${event.sequence}`);
    position = at;
  }
}

/** Position of the tenant's stream, sent before any event. */
async function currentPosition({ url, token }: Pick<Server, 'url' | 'token'>): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const response = await fetch(`${url}/events/stream`, { headers });
  let received = '';
  for await (const chunk of response.body ?? []) {
    received += Buffer.from(chunk).toString();
    const at = /^id: ?(.+)$/m.exec(received)?.[1];
    if (at !== undefined) return at;
  }
  throw new Error(`the stream has no position: ${received}`);
}

function goneOnly(error: unknown): void {
  if (!(error instanceof Unreachable)) throw error;
}

async function doomedRound(first: boolean): Promise<void> {
  const launch = launchServer({ folder, tools });
  const server = await launch.ready;
  const { client } = server;
  if (first) {
    position = await currentPosition(server);
    await client.registerWorkflow(FLOW);
    await client.webhooks.create({ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` });
  }
  const listening = listen(client).catch(goneOnly);
  const busy = business(client).catch(goneOnly);
  const before = started.size;
  await eventually(() => started.size > before + 1, 'customers come');
  await new Promise((resolve) => setTimeout(resolve, random.between(100, 500)));
  await launch.kill();
  await Promise.all([listening, busy]);
}

describe(`${ROUNDS} times the server is killed while it delivers events`, () => {
  const log: string[] = [];

  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    for (let round = 0; round < ROUNDS; round += 1) await doomedRound(round === 0);
    const { client, kill } = await startServer({ folder, tools });
    for (let offset = 0; ; offset += 1_000) {
      const { executions } = await client.executions({ limit: 1_000, offset });
      for (const { execution_id } of executions) {
        for (const { sequence } of await client.events(execution_id)) log.push(`${execution_id} ${sequence}`);
      }
      if (executions.length < 1_000) break;
    }
    const enough = new AbortController();
    const listening = listen(client, enough.signal).catch(() => undefined);
    const untilMs = Date.now() + PATIENCE_MS;
    while (Date.now() < untilMs && (new Set(hooked).size < log.length || new Set(streamed).size < log.length)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    enough.abort();
    await listening;
    await kill();
  });
  afterAll(() => void receiver.close());

  it('there are events', () => {
    expect(started.size).toBeGreaterThan(ROUNDS);
    expect(log.length).toBeGreaterThan(started.size);
  });

  it('the webhook receives every event at least once', () => {
    expect([...new Set(hooked)].toSorted()).toEqual(log.toSorted());
  });

  it('the webhook receives the events of an execution in order', () => {
    const next = new Map<string, number>();
    for (const message of new Set(hooked)) {
      const [execution = '', sequence] = message.split(' ');
      expect([execution, Number(sequence)]).toEqual([execution, (next.get(execution) ?? 0) + 1]);
      next.set(execution, Number(sequence));
    }
  });

  it('a stream that is resumed each time has every event once', () => {
    const whole = streamed.filter((message) => log.includes(message));
    expect(streamed).toEqual(whole);
    expect(new Set(streamed).size).toBe(streamed.length);
    expect(streamed.toSorted()).toEqual(log.toSorted());
  });
});
