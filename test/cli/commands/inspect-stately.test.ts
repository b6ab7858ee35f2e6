import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { JsonObject } from '../../../machines/json.ts';
import { freePort } from '../../support/ports.ts';
import { DECLINED, DOUBLING, HANGING, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { allDone, type Received, Receiver, shapeFaults, snapshotOf } from '../stately/receiver.ts';
import type { TerminalSession } from '../terminal-session.ts';

let repaired = false;
const server = runtimeServer({
  ...TOOLS,
  repair: () => {
    if (!repaired) throw Object.assign(new Error('broken'), { retryable: false });
    return { whole: true };
  },
});

async function started(flow: JsonObject): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  return (await client.start({ workflow_id, input: { n: 4 } })).execution_id;
}

interface Shown {
  readonly session: TerminalSession;
  readonly url: string;
  readonly socket: string;
}

async function shown(id: string, options = ''): Promise<Shown> {
  const session = server().jamjet(`inspect ${id} --stately --json${options}`);
  await session.shows(/"socket":"ws:\/\/127\.0\.0\.1:\d+"/);
  return { session, ...(JSON.parse(session.screen) as { readonly url: string; readonly socket: string }) };
}

async function left({ session }: Shown): Promise<void> {
  session.signals.emit('SIGINT');
  expect((await session.ended).code).toBe(0);
}

const values = (messages: readonly Received[]) =>
  messages.filter(({ type }) => type === '@xstate.snapshot').map((message) => snapshotOf(message).value);

describe('jamjet inspect --stately', () => {
  it('streams an execution to all viewers, and forgets viewers that disconnect', async () => {
    const id = await started(REVIEWED);
    const show = await shown(id);
    const [one, other] = [new Receiver(show.socket), new Receiver(show.socket)];
    const leaving = new WebSocket(show.socket);
    await once(leaving, 'message');
    leaving.terminate();
    await one.until(({ length }) => length >= 3);
    expect(values(one.messages)).toEqual(['review']);
    await server().client.approve(id, { decision: 'approved', comment: 'fine' });
    await Promise.all([one.until(allDone), other.until(allDone)]);
    expect(values(one.messages)).toEqual(['review', 'double', 'end:completed']);
    expect(other.messages).toEqual(one.messages);
    expect(shapeFaults(one.messages)).toEqual([]);
    expect(one.messages.filter(({ type }) => type === '@xstate.event').map(({ event }) => event)).toMatchObject([
      { type: 'xstate.init', input: { n: 4 } },
      { type: 'decide', node: 'review', decision: 'approved', comment: 'fine' },
      { type: 'done', node: 'double', output: { n: 8 } },
    ]);
    const late = new Receiver(show.socket);
    await late.until(allDone);
    expect(late.messages).toEqual(one.messages);
    await left(show);
    const { stderr } = await show.session.ended;
    expect(stderr).toContain('3 viewers\n');
    expect(stderr).toContain('the execution has ended: completed; it can still be viewed\n');
  });

  it('exits with --once when a viewer has received everything', async () => {
    const id = await started(REVIEWED);
    const show = await shown(id, ' --once');
    const gone = new WebSocket(show.socket);
    await once(gone, 'message');
    gone.close();
    await once(gone, 'close');
    await server().client.approve(id, { decision: 'approved' });
    const receiver = new Receiver(show.socket);
    expect((await show.session.ended).code).toBe(0);
    await receiver.until(allDone);
    expect(show.session.signals.listenerCount('SIGINT')).toBe(0);
  });

  it('closes connections on Ctrl-C, and does not affect the execution', async () => {
    const id = await started(HANGING);
    const show = await shown(id);
    const viewer = new WebSocket(show.socket);
    await once(viewer, 'message');
    const closed = once(viewer, 'close');
    await left(show);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1001, 'jamjet inspect has stopped']);
    expect(await server().client.execution(id)).toMatchObject({ status: 'running' });
    await server().client.cancel(id);
  });

  it('is not delayed by a viewer that does not respond', async () => {
    const id = await started(DOUBLING);
    const show = await shown(id);
    const { port } = new URL(show.socket);
    const mute = connect(Number(port), '127.0.0.1');
    mute.write(
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(mute, 'data');
    await left(show);
    mute.destroy();
  });

  it('prints the addresses', async () => {
    const id = await started(DOUBLING);
    await server().client.execution(id, { waitMs: 30_000 });
    const session = server().jamjet(`inspect ${id} --stately`);
    await session.shows('Ctrl-C stops');
    expect(session.screen).toMatch(
      new RegExp(
        `^execution +${id}\nworkflow +doubling 1, completed\nopen +http://127.0.0.1:\\d+ .*\nsocket +ws://127.0.0.1:\\d+ .*\nCtrl-C stops\n$`,
      ),
    );
    session.signals.emit('SIGTERM');
    expect((await session.ended).code).toBe(0);
  });

  it('shows a failure, and to viewers after a retry also its result', async () => {
    const flow = {
      ...DECLINED,
      workflow_id: 'repairing',
      nodes: { repair: { kind: { type: 'tool', tool_ref: 'repair' } } },
      edges: [{ from: 'repair', to: 'end' }],
    };
    const id = await started(flow);
    await server().client.execution(id, { waitMs: 30_000 });
    const show = await shown(id);
    const early = new Receiver(show.socket);
    await early.until(allDone);
    expect(snapshotOf(early.messages.at(-1))).toMatchObject({
      status: 'done',
      value: 'end:failed',
      context: { error: 'node(s) failed terminally: repair' },
    });
    repaired = true;
    await server().client.retry(id);
    const late = new Receiver(show.socket);
    await late.until((messages) => values(messages).at(-1) === 'end:completed');
    expect(values(late.messages)).toEqual(['repair', 'end:failed', 'repair', 'end:completed']);
    expect(late.messages.slice(0, early.messages.length)).toEqual(early.messages);
    await left(show);
  });

  it('reconnects to the server and continues where it was', async () => {
    const id = await started(REVIEWED);
    const sockets = new Set<Socket>();
    const way = createServer((client) => {
      const behind = connect(Number(new URL(server().url).port), '127.0.0.1');
      for (const socket of [client, behind]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          client.destroy();
          behind.destroy();
        });
      }
      client.pipe(behind).pipe(client);
    });
    const port = await freePort();
    await once(way.listen(port, '127.0.0.1'), 'listening');
    const show = await shown(id, ` --runtime http://127.0.0.1:${port}`);
    const early = new Receiver(show.socket);
    await early.until(({ length }) => length >= 3);
    const closed = new Promise((resolve) => way.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
    const meanwhile = new Receiver(show.socket);
    await server().client.approve(id, { decision: 'approved' });
    await once(way.listen(port, '127.0.0.1'), 'listening');
    await Promise.all([early.until(allDone), meanwhile.until(allDone)]);
    expect(meanwhile.messages).toEqual(early.messages);
    await left(show);
    const { stderr } = await show.session.ended;
    expect(stderr).toMatch(new RegExp(`warning: cannot reach http://127.0.0.1:${port}: .*: reconnecting\n`));
    expect(stderr.match(/reconnecting/g)).toHaveLength(1);
    expect(stderr).toContain(`reconnected to http://127.0.0.1:${port}\n`);
    way.close();
    for (const socket of sockets) socket.destroy();
  });

  it('exits with the error of the server when the token is revoked', async () => {
    const id = await started(REVIEWED);
    const { client } = server();
    const { token, id: tokenId } = await client.createToken({ role: 'viewer', name: 'guest' });
    const session = server().jamjet(`inspect ${id} --stately --json`, { env: { JAMJET_TOKEN: token } });
    await session.shows('"socket"');
    await client.revokeToken(tokenId);
    const viewer = new WebSocket((JSON.parse(session.screen) as { socket: string }).socket);
    let heard = 0;
    viewer.on('message', () => {
      heard += 1;
    });
    // It may end before a viewer connects.
    viewer.on('error', () => undefined);
    const { code, stderr } = await session.ended;
    expect([code, heard]).toEqual([1, 0]);
    expect(stderr).toMatch(/^error: .*token.*\nThe token from JAMJET_TOKEN is not valid/m);
  });

  it('rejects pages of other sites', async () => {
    const id = await started(DOUBLING);
    const show = await shown(id);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' }]) {
      const stranger = new WebSocket(show.socket, { headers });
      let heard = 0;
      stranger.on('message', () => {
        heard += 1;
      });
      const [error] = await once(stranger, 'error').catch((thrown) => [thrown]);
      expect([String(error), heard]).toEqual(['Error: Unexpected server response: 403', 0]);
    }
    for (const origin of ['https://stately.ai', show.url, 'http://localhost:5173']) {
      const friend = new WebSocket(show.socket, { origin });
      await once(friend, 'message');
      friend.close();
    }
    await left(show);
  });

  it('ignores messages of viewers', async () => {
    const id = await started(DOUBLING);
    const show = await shown(id);
    const talker = new WebSocket(show.socket);
    await once(talker, 'open');
    talker.send('hello');
    talker.send(Buffer.from([1, 2, 3]));
    const closed = once(talker, 'close');
    talker.send('x'.repeat(100_000));
    expect((await closed)[0]).toBe(1009);
    const receiver = new Receiver(show.socket);
    await receiver.until(allDone);
    await left(show);
  });

  it('serves one page to browsers', async () => {
    const show = await shown(await started(DOUBLING));
    const page = await fetch(show.url);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain(`connect-src ${show.socket};`);
    expect(await page.text()).toContain('src="https://stately.ai/inspect"');
    const odd = [
      await fetch(`${show.url}/other`),
      await fetch(show.url, { method: 'POST', body: 'x' }),
      await fetch(show.url, { headers: { origin: 'https://evil.example' } }),
    ];
    expect(odd.map(({ status }) => status)).toEqual([404, 405, 403]);
    await left(show);
  });

  it('rejects invalid combinations of options', async () => {
    const ended = async (line: string) => {
      const { code, stderr, stdout } = await server().jamjet(line).ended;
      expect(stdout).toBe('');
      return [code, stderr.split('\n')[0]];
    };
    expect(await ended('inspect exec_1 --port 80')).toEqual([2, 'error: --port and --once require --stately']);
    expect(await ended('inspect exec_1 --once')).toEqual([2, 'error: --port and --once require --stately']);
    expect(await ended('inspect exec_1 --stately --at 3')).toEqual([2, 'error: give --stately or --at, not both']);
    for (const port of ['x', '-1', '65536'])
      expect(await ended(`inspect exec_1 --stately --port=${port}`)).toEqual([
        2,
        `error: --port "${port}" is not a whole number from 0 to 65535`,
      ]);
    expect(await ended('inspect exec_abc --stately')).toEqual([1, 'error: not found: execution exec_abc']);
    expect(await ended(`inspect exec_abc --stately --runtime http://127.0.0.1:1`)).toEqual([
      1,
      expect.stringMatching(/^error: cannot reach a server at http:\/\/127\.0\.0\.1:1 /),
    ]);
  });

  it('listens on the given port, if it is free', async () => {
    const id = await started(DOUBLING);
    const port = await freePort();
    const show = await shown(id, ` --port ${port}`);
    const { code, stderr } = await server().jamjet(`inspect ${id} --stately --port ${port}`).ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^error: cannot listen on 127.0.0.1:${port}: .*\nPass another --port`)),
    ]);
    await left(show);
    const again = await shown(id, ` --port ${port}`);
    expect(again.url).toBe(show.url);
    await left(again);
  });
});
