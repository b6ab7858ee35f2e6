import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoreNotification } from '../../../../store/port/notifications.ts';
import { type Payload, PendingNotifications } from '../../../../store/postgres/notify/payloads.ts';
import { waitUntil } from '../../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../../support/postgres.ts';
import { startExecution, step } from '../../writes.ts';

const server = postgresServer();

function told(news: PendingNotifications): readonly Payload[] {
  return news.payloads('me').map((text) => JSON.parse(text) as Payload);
}

describe('notifications of several commits', () => {
  it('contain the last state of each execution, and whether it started or ended', () => {
    const news = new PendingNotifications();
    const one = startExecution('exec_1');
    const write = step('exec_1', 2);
    news.add([one]);
    news.add([write]);
    expect(told(news)).toEqual([
      expect.objectContaining({ executions: [['default', 'exec_1', write.progress.seq, 1, 0, write.progress.owner ?? null]] }),
    ]);
  });

  it('contain both ends of an execution that ended, was continued and ended again', () => {
    const news = new PendingNotifications();
    const write = step('exec_1', 2);
    const ended = { ...write, progress: { ...write.progress, completedAtMs: 5 } };
    news.add([ended]);
    news.add([{ ...write, revive: { deadlineAtMs: 900 } }]);
    news.add([ended]);
    expect(told(news)[0]?.executions.map(([, , , began, hasEnded]) => [began, hasEnded])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(told(news)[0]?.due).toBe(900);
  });

  it('are split into payloads of valid size, each execution once', () => {
    const news = new PendingNotifications();
    const ids = Array.from({ length: 500 }, (_, i) => `exec_${i}`);
    for (const id of ids) news.add([startExecution(id)]);
    const texts = news.payloads('me');
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(8_000);
    expect(told(news).flatMap(({ executions }) => executions.map(([, id]) => id))).toEqual(ids);
  });

  it('report a gap when too many queues got work', () => {
    const news = new PendingNotifications();
    const write = step('exec_1', 2);
    const item = {
      id: 'w',
      nodeId: 'n',
      activation: 1,
      attempt: 1,
      maxAttempts: 1,
      payload: '{}',
      timeoutMs: null,
      createdAtMs: 1,
    };
    for (let i = 0; i < 200; i += 1) news.add([{ ...write, work: [{ op: 'put', item: { ...item, queue: `queue ${i}` } }] }]);
    expect(told(news)[0]).toMatchObject({ queues: [], gap: true });
    const few = new PendingNotifications();
    few.add([{ ...write, work: [{ op: 'put', item: { ...item, queue: 'model' } }] }]);
    expect(told(few)[0]).toMatchObject({ queues: [[write.tenantId, 'model']] });
    expect(told(few)[0]?.gap).toBeUndefined();
  });
});

describe('a notification that is not understood', () => {
  it('counts as a gap, and crashes no process', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const notices: StoreNotification[] = [];
    store.subscribe((notice) => notices.push(notice));
    await waitUntil(() => notices.length === 1);
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    const texts = ['', 'hello', 'null', '{"from":"a later release"}', '{"from":"x","executions":[7],"queues":[],"control":[]}'];
    for (const text of texts) await client.query("SELECT pg_notify('jamjet', $1)", [text]);
    await waitUntil(() => notices.length === 1 + texts.length);
    expect(notices.every(({ gap }) => gap)).toBe(true);
  });
});
