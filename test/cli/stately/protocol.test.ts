import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createWebSocketInspector } from '@statelyai/inspect';
import { expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { assign, createActor, createMachine } from 'xstate';
import { actorMessage, stepMessages } from '../../../src/cli/stately/protocol.ts';
import type { Snapshot } from '../../../src/client/index.ts';
import { type Received, SHAPES, shapeFaults } from './receiver.ts';

/** The messages that the package sends for a machine with one event. */
async function sentByThePackage(): Promise<readonly Received[]> {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(sockets, 'listening');
  const inspector = createWebSocketInspector({ url: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}` });
  const [socket] = (await once(sockets, 'connection')) as [WebSocket];
  const messages: Received[] = [];
  const heard = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)));
      if (messages.at(-1)?.type === '@xstate.snapshot' && messages.length >= 5) resolve();
    });
  });
  const machine = createMachine({
    id: 'light',
    initial: 'off',
    context: { n: 0 },
    states: { off: { on: { press: { target: 'on', actions: assign({ n: 1 }) } } }, on: { type: 'final' } },
  });
  const actor = createActor(machine, { inspect: inspector.inspect });
  actor.start();
  actor.send({ type: 'press' });
  await heard;
  inspector.stop();
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  return messages;
}

const STEP: Snapshot = {
  sequence: 3,
  created_at: '2026-03-12T10:00:00.000Z',
  events: [{ type: 'press' }],
  status: 'completed',
  value: 'on',
  context: { state: { n: 1 }, active: [], steps_executed: 1 },
};

it('accepts the messages of the package itself', async () => {
  const messages = await sentByThePackage();
  expect(messages.map(({ type }) => type)).toEqual([
    '@xstate.actor',
    '@xstate.event',
    '@xstate.snapshot',
    '@xstate.event',
    '@xstate.snapshot',
  ]);
  expect(shapeFaults(messages)).toEqual([]);
});

it('has exactly the fields of the package', async () => {
  const theirs = await sentByThePackage();
  const actor = { sessionId: 'exec_2', rootId: 'exec_1', parentId: null, name: 'light', definition: '{"id":"light"}' };
  const ours = JSON.parse(JSON.stringify([actorMessage(actor, STEP), ...stepMessages(actor, STEP)])) as readonly Received[];
  expect(shapeFaults(ours)).toEqual([]);
  for (const type of Object.keys(SHAPES)) {
    const [their, our] = [theirs, ours].map((messages) => messages.findLast((message) => message.type === type));
    expect(Object.keys(our ?? {}).sort()).toEqual(Object.keys(their ?? {}).sort());
  }
});

it('sends every event of a step, then its snapshot', () => {
  const actor = { sessionId: 'exec_2', rootId: 'exec_1', parentId: 'exec_1', name: 'light', definition: '{}' };
  const events = [{ type: 'xstate.init', input: 1 }, { type: 'child', childId: 'exec_3', node: 'n' }, { type: 'event' }];
  const messages = stepMessages(actor, { ...STEP, events, status: 'failed' });
  expect(messages).toMatchObject([
    { type: '@xstate.event', event: events[0], sourceId: 'exec_1' },
    { type: '@xstate.event', event: events[1], sourceId: 'exec_3' },
    { type: '@xstate.event', event: events[2] },
    { type: '@xstate.snapshot', event: events[2], snapshot: { status: 'done' }, createdAt: '1773309600000' },
  ]);
  expect(messages[2]).not.toHaveProperty('sourceId');
  expect(messages[3]).not.toHaveProperty('snapshot.output');
});
