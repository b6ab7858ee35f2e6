import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { JamjetClient, type StreamState } from '../../src/client/index.ts';
import { delayMs } from '../../src/client/reconnecting-stream.ts';
import { ApiError } from '../../src/client/transport.ts';
import { api, PAYMENT } from '../api/support/api.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/** A stream as browsers have them that cannot iterate one: with a reader only. */
function readerOnly(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return { getReader: () => body.getReader() } as ReadableStream<Uint8Array>;
}

const nodeFetch = globalThis.fetch;

/** `fetch` of a browser: a function of the window only, and bodies that can only be read. */
function browserFetch(this: unknown, ...args: Parameters<typeof fetch>): Promise<Response> {
  if (this !== undefined && this !== globalThis) throw new TypeError('Illegal invocation');
  return nodeFetch(...args).then(
    (response) =>
      new Proxy(response, {
        get: (target, name) => {
          if (name === 'body') return target.body === null ? null : readerOnly(target.body);
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
  );
}

/** A client behind a connection that can be cut, and one that is connected directly. */
async function served() {
  const server = await api();
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const proxy = await openTcpProxy(Number(new URL(url).port));
  const token = await server.token('operator');
  const direct = new JamjetClient({ url, token });
  await direct.registerWorkflow(PAYMENT);
  return { url, token, proxy, direct, client: new JamjetClient({ url: proxy.via(`${url}/`), token }) };
}

describe('streams of the client', () => {
  it('run where bodies have only a reader and fetch is a function of the window', async () => {
    const { url, token, direct } = await served();
    vi.stubGlobal('fetch', browserFetch);
    onTestFinished(() => void vi.unstubAllGlobals());
    const client = new JamjetClient({ url, token });
    const { execution_id } = await direct.start({ workflow_id: 'payment' });
    const kinds: string[] = [];
    for await (const message of client.live.feed(execution_id)) {
      if (!('event' in message)) continue;
      kinds.push(message.event.kind as string);
      if (message.event.kind === 'WorkflowStarted') await direct.sendEvent(execution_id, { key: 'paid', payload: null });
    }
    expect(kinds.at(0)).toBe('WorkflowStarted');
    expect(kinds.at(-1)).toBe('WorkflowCompleted');
  });

  it('go on behind the last event after an outage, without a loss or a repetition, and say what they are doing', async () => {
    const { client, direct, proxy } = await served();
    const { execution_id } = await direct.start({ workflow_id: 'payment' });
    const states: StreamState[] = [];
    const onState = (state: StreamState): void => {
      states.push(state);
      if (state.state !== 'waiting') return;
      // While the connection is unreachable, the execution goes on.
      if (states.filter((each) => each.state === 'waiting').length === 1) {
        void direct.sendEvent(execution_id, { key: 'paid', payload: null }).then(() => state.retryNow());
      } else {
        proxy.restore();
        state.retryNow();
      }
    };
    const sequences: number[] = [];
    for await (const event of client.live.execution(execution_id, { reconnect: { onState } })) {
      sequences.push(event.sequence);
      if (sequences.length === 2) proxy.cut();
    }
    const log = await direct.events(execution_id);
    expect(sequences).toEqual(log.map(({ sequence }) => sequence));
    expect(states.map(({ state }) => state)).toEqual([
      'connecting',
      'open',
      'waiting',
      'connecting',
      'waiting',
      'connecting',
      'open',
      'closed',
    ]);
    expect(states[2]).toMatchObject({ error: { code: 'unreachable' } });
    expect(states.at(-1)).toEqual({ state: 'closed', error: null });
  });

  it('follow a tenant across an outage from its first moment on', async () => {
    const { client, direct, proxy } = await served();
    const started: Promise<string>[] = [];
    const onState = (state: StreamState): void => {
      if (state.state === 'open' && started.length === 0)
        started.push(direct.start({ workflow_id: 'payment' }).then((each) => each.execution_id));
      if (state.state !== 'waiting') return;
      proxy.restore();
      const begun = direct.start({ workflow_id: 'payment' }).then((each) => each.execution_id);
      started.push(begun);
      void begun.then(() => state.retryNow());
    };
    const seen: string[] = [];
    for await (const { event } of client.live.tenant({ kinds: ['workflow_started'], reconnect: { onState } })) {
      seen.push(event.execution_id as string);
      if (seen.length === 1) proxy.cut();
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(await Promise.all(started));
  });

  it('stop when the token is revoked', async () => {
    const { client, direct, proxy } = await served();
    const { token, id } = await direct.createToken({ name: 'page', role: 'viewer' });
    const page = new JamjetClient({ url: client.url, token });
    const { execution_id } = await direct.start({ workflow_id: 'payment' });
    const states: StreamState[] = [];
    const onState = (state: StreamState): void => {
      states.push(state);
      if (state.state !== 'waiting') return;
      proxy.restore();
      void direct.revokeToken(id).then(() => state.retryNow());
    };
    const read = async (): Promise<void> => {
      for await (const { sequence } of page.live.execution(execution_id, { reconnect: { onState } }))
        if (sequence === 1) proxy.cut();
    };
    await expect(read()).rejects.toMatchObject({ status: 401 });
    expect(states.at(-1)).toMatchObject({ state: 'closed', error: { status: 401 } });
  });

  it('reject when the connection is lost, unless they are to reconnect', async () => {
    const { client, direct, proxy } = await served();
    const { execution_id } = await direct.start({ workflow_id: 'payment' });
    const read = async (): Promise<void> => {
      for await (const _ of client.live.execution(execution_id)) proxy.cut();
    };
    await expect(read()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('end with the reason of their signal, also while they wait', async () => {
    const { client, proxy } = await served();
    proxy.cut();
    const stop = new AbortController();
    const states: StreamState[] = [];
    const onState = (state: StreamState): void => {
      states.push(state);
      if (state.state === 'waiting') stop.abort(new Error('left the page'));
    };
    await expect(client.live.tenant({ signal: stop.signal, reconnect: { onState } }).next()).rejects.toThrow('left the page');
    expect(states.at(-1)).toEqual({ state: 'closed', error: null });
  });

  it('wait longer from failure to failure, less at random, and as long as the server asks', () => {
    expect([0, 1, 2, 3, 4, 50].map((failures) => delayMs(failures, null, 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
    expect(delayMs(3, null, 1)).toBe(4_000);
    expect(delayMs(0, new ApiError(503, 'busy', 'overloaded', null, 5_000), 0.5)).toBe(5_000);
  });
});
