import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoreNotification } from '../../../../store/port/notifications.ts';
import { type Payload, PendingNotifications } from '../../../../store/postgres/notify/payloads.ts';
import { waitUntil } from '../../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../../support/postgres.ts';
import { startExecution, step } from '../../writes.ts';

const server = postgresServer();

function payloadsOf(pending: PendingNotifications): readonly Payload[] {
  return pending.payloads('me').map((text) => JSON.parse(text) as Payload);
}

describe('notifications of several commits', () => {
  it('contain the last state of each execution, and whether it started or ended', () => {
    const pending = new PendingNotifications();
    const one = startExecution('exec_1');
    const write = step('exec_1', 2);
    pending.add([one]);
    pending.add([write]);
    expect(payloadsOf(pending)).toEqual([
      expect.objectContaining({ executions: [['default', 'exec_1', write.progress.seq, 1, 0, write.progress.owner ?? null]] }),
    ]);
  });

  it('contain both ends of an execution that ended, was continued and ended again', () => {
    const pending = new PendingNotifications();
    const write = step('exec_1', 2);
    const ended = { ...write, progress: { ...write.progress, completedAtMs: 5 } };
    pending.add([ended]);
    pending.add([{ ...write, revive: { deadlineAtMs: 900 } }]);
    pending.add([ended]);
    expect(payloadsOf(pending)[0]?.executions.map(([, , , started, hasEnded]) => [started, hasEnded])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(payloadsOf(pending)[0]?.due).toBe(900);
  });

  it('are split into payloads of valid size, each execution once', () => {
    const pending = new PendingNotifications();
    const ids = Array.from({ length: 500 }, (_, i) => `exec_${i}`);
    for (const id of ids) pending.add([startExecution(id)]);
    const texts = pending.payloads('me');
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(8_000);
    expect(payloadsOf(pending).flatMap(({ executions }) => executions.map(([, id]) => id))).toEqual(ids);
  });

  it('report a gap when too many queues got work', () => {
    const pending = new PendingNotifications();
    const write = step('exec_1', 2);
    const item = {
      id: 'w',
      nodeId: 'n',
      activation: 1,
      attempt: 1,
      item: null,
      maxAttempts: 1,
      tool: 't',
      payload: '{}',
      timeoutMs: null,
      createdAtMs: 1,
    };
    for (let i = 0; i < 200; i += 1) pending.add([{ ...write, work: [{ op: 'put', item: { ...item, queue: `queue ${i}` } }] }]);
    expect(payloadsOf(pending)[0]).toMatchObject({ queues: [], gap: true });
    const few = new PendingNotifications();
    few.add([{ ...write, work: [{ op: 'put', item: { ...item, queue: 'model' } }] }]);
    expect(payloadsOf(few)[0]).toMatchObject({ queues: [[write.tenantId, 'model']] });
    expect(payloadsOf(few)[0]?.gap).toBeUndefined();
  });
});

describe('a notification that is not understood', () => {
  it('counts as a gap, and crashes no process', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const notifications: StoreNotification[] = [];
    store.subscribe((notification) => notifications.push(notification));
    await waitUntil(() => notifications.length === 1);
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    const texts = ['', 'hello', 'null', '{"from":"a later release"}', '{"from":"x","executions":[7],"queues":[],"control":[]}'];
    for (const text of texts) await client.query("SELECT pg_notify('jamjet', $1)", [text]);
    await waitUntil(() => notifications.length === 1 + texts.length);
    expect(notifications.every(({ gap }) => gap)).toBe(true);
  });
});
