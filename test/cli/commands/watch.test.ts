import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { freePort } from '../../support/ports.ts';
import { DOUBLING, HANGING, PAID, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

const ENTER = '\u001b[?1049h';
/** Restores the cursor, wrapping and the main screen. */
const LEAVE = '\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l';

async function started(flow: JsonObject): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  const { execution_id } = await client.start({ workflow_id, input: { n: 4 } });
  return execution_id;
}

/** The output after the terminal was restored. */
function afterwards(stdout: string): string {
  expect(stdout.startsWith(ENTER)).toBe(true);
  const [, after, ...more] = stdout.split(LEAVE);
  expect(more).toEqual([]);
  return after ?? '';
}

it('shows the outline, records a decision, and prints the result', async () => {
  const id = await started(REVIEWED);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows('review: Double it?');
  session.press('a');
  await session.shows('Approve review, comment');
  session.press('fine\r');
  await session.shows('Approve review (“fine”)? (y/n)');
  session.press('y');
  await session.shows('ended: any key');
  session.press('x');
  const { code, stdout, stderr } = await session.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(afterwards(stdout)).toMatch(new RegExp(`^✓ ${id} completed in .*\n {2}Details: jamjet inspect ${id}\n$`));
  const { decided } = await server().client.approvals(id);
  expect(decided).toMatchObject([{ node_id: 'review', status: 'approved', comment: 'fine' }]);
});

it('sends the awaited event, and rejects invalid JSON', async () => {
  const id = await started(PAID);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows('waiting for event payment-received');
  session.press('e');
  await session.shows('Correlation key of the event (⏎ payment-received):');
  session.press('\r');
  await session.shows('Payload of payment-received, JSON (⏎ {}):');
  session.press('{\r');
  await session.shows('not JSON');
  session.press('"n": 1}\r');
  await session.shows('payment-received delivered to payment');
  await session.shows('ended: any key');
  session.press('q');
  expect((await session.ended).code).toBe(0);
});

it('pauses, resumes, and cancels after confirmation', async () => {
  const id = await started(HANGING);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows(/hang +running/);
  session.press('p');
  await session.shows('suspended: nothing new starts');
  await session.shows('· paused');
  session.press('u');
  await session.shows('· resumed');
  session.press('c');
  await session.shows('Cancel the execution');
  session.press('n');
  await session.shows('cancelled');
  session.press('cy');
  await session.shows('ended: any key');
  session.press(' q');
  const { code, stdout } = await session.ended;
  expect(code).toBe(1);
  expect(afterwards(stdout)).toMatch(new RegExp(`^✗ ${id} cancelled`));
});

it('shows the attempts, output and definition of a node', async () => {
  const id = await started(DOUBLING);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows('ended: any key');
  session.press('\r');
  await session.shows('Definition');
  expect(session.screen).toContain('output    {"n":8}');
  session.press('q');
  await session.shows(/ended: any key[\s\S]*ended: any key/);
  session.press('q');
  expect((await session.ended).code).toBe(0);
});

it('treats pasted input as text only', async () => {
  const id = await started(REVIEWED);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows('review: Double it?');
  session.press('\u001b[200~cy\n\u001b[201~r');
  await session.shows('Reject review, comment');
  session.press('\u001b[200~one\ntwo\u001b[201~\r');
  await session.shows('Reject review (“one two”)?');
  session.press('n');
  await session.shows('cancelled');
  session.press('q');
  expect((await session.ended).code).toBe(0);
  expect(await server().client.execution(id)).toMatchObject({ status: 'paused' });
});

it.each([
  ['Ctrl-C', (session: ReturnType<ReturnType<typeof server>['jamjet']>) => session.press('\u0003')],
  ['SIGTERM', (session: ReturnType<ReturnType<typeof server>['jamjet']>) => session.signals.emit('SIGTERM')],
])('restores the terminal on %s, and does not affect the execution', async (_, interrupt) => {
  const id = await started(REVIEWED);
  const session = server().jamjet(`watch ${id}`, { tty: true });
  await session.shows('review: Double it?');
  interrupt(session);
  const { code, stdout } = await session.ended;
  expect(code).toBe(130);
  expect(afterwards(stdout)).toMatch(new RegExp(`^◆ ${id} is paused after .*\n {2}Watch it again: jamjet watch ${id}\n$`));
  expect(session.signals.listenerCount('SIGTERM')).toBe(0);
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
  const session = server().jamjet(`watch ${id} --runtime http://127.0.0.1:${port}`, { tty: true });
  await session.shows('review: Double it?');
  const closed = new Promise((resolve) => way.close(resolve));
  for (const socket of sockets) socket.destroy();
  await closed;
  await session.shows(`! lost http://127.0.0.1:${port}: reconnecting`);
  session.press('p');
  await session.shows('cannot reach');
  await server().client.approve(id, { decision: 'approved' });
  await once(way.listen(port, '127.0.0.1'), 'listening');
  await session.shows('ended: any key');
  session.press('q');
  const { code, stdout } = await session.ended;
  way.close();
  for (const socket of sockets) socket.destroy();
  expect(code).toBe(0);
  expect(afterwards(stdout)).toMatch(new RegExp(`^✓ ${id} completed`));
});

it('requires a terminal, and names the alternative', async () => {
  expect(await server().jamjet('watch exec_1').ended).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: watch requires a terminal\nWithout one, follow the events: jamjet events exec_1 --follow\n',
  });
});

it('does not change the terminal if the execution does not exist', async () => {
  const { code, stdout, stderr } = await server().jamjet('watch exec_abc123', { tty: true }).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe('error: not found: execution exec_abc123\n`jamjet ls` lists the executions.\n');
});
