import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openSqlite } from '../src/index.ts';
import type { ExecutionPageRequest } from '../store/port/execution-search.ts';
import { EXECUTION_BY_ID } from '../store/sqlite/queries/executions.ts';
import { HttpConnection } from './http-connection.ts';
import { median } from './load.ts';
import { serve } from './server.ts';

export interface Lists {
  readonly executions: number;
  readonly buildSeconds: number;
  readonly pages: readonly PageTime[];
  /** Time to read fifty executions by id with better-sqlite3. */
  readonly bareMs: number;
}

export interface PageTime {
  readonly what: string;
  readonly rows: number;
  readonly p50Ms: number;
}

const EXECUTIONS = 1_000_000;
const PAGE = 50;
const TIMES = 51;
const START_MS = Date.UTC(2026, 0, 1);

/** Test data: one execution per second; nine in ten completed, one in ten labelled, twenty workflows. */
const BUILD = `INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth, created_at_ms,
    status, seq, steps, local_work, updated_at_ms, completed_at_ms, snapshot_seq, snapshot)
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @last)
  SELECT ${idOf('i')}, 'default', 'workflow-' || (i % 20), iif(i % 250000 = 7, '0.9', '1.0'), 'r1',
    CASE WHEN i % 10 = 3 THEN json_object('env', 'prod', 'customer', 'c' || (i % 1000)) ELSE '{}' END,
    NULL, 0, ${START_MS} + i * 1000,
    CASE WHEN i % 10 > 0 THEN 'completed' WHEN i % 50 = 0 THEN 'failed' WHEN i % 50 = 10 THEN 'paused' WHEN i % 50 = 20 THEN 'running'
      ELSE 'cancelled' END,
    9, 3, 0, ${START_MS} + i * 1000, ${START_MS} + i * 1000, 9, '{}' FROM n`;
const BUILD_LABELS = `INSERT INTO execution_labels (tenant_id, key, execution_id, value)
  SELECT e.tenant_id, l.key, e.id, l.value FROM executions e, json_each(e.labels) l WHERE e.labels <> '{}'`;

function idOf(i: string): string {
  return `printf('exec_%012x7%03x8%015x', ${START_MS} + ${i} * 1000, ${i} & 0xfff, ${i})`;
}

/** Measures pages of a long list, in process and over HTTP. */
export async function lists(folder: string): Promise<Lists> {
  const path = join(folder, 'lists.db');
  const startedMs = performance.now();
  await build(path);
  const buildSeconds = (performance.now() - startedMs) / 1000;
  const pages = await inProcess(path);
  const bareMs = bareRead(path);
  return { executions: EXECUTIONS, buildSeconds, pages: [...pages, await overHttp(folder)], bareMs };
}

async function build(path: string): Promise<void> {
  await (await openSqlite({ path, nowMs: Date.now })).close();
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.pragma('journal_mode = OFF');
  db.pragma('cache_size = -200000');
  db.prepare(BUILD).run({ last: EXECUTIONS - 1 });
  db.exec(BUILD_LABELS);
  db.close();
}

async function inProcess(path: string): Promise<readonly PageTime[]> {
  const store = await openSqlite({ path, nowMs: Date.now });
  const tenant = store.tenant('default');
  const timed = async (what: string, request: Partial<ExecutionPageRequest>): Promise<PageTime> => {
    const tookMs: number[] = [];
    let rows = 0;
    for (let time = 0; time < TIMES; time += 1) {
      const beganMs = performance.now();
      rows = (await tenant.executions({ limit: PAGE, offset: 0, ...request })).rows.length;
      tookMs.push(performance.now() - beganMs);
    }
    return { what, rows, p50Ms: median(tookMs) };
  };
  const at = (day: number) => `exec_${(START_MS + day * 86_400_000).toString(16).padStart(12, '0')}`;
  const pages = [
    await timed('first page', {}),
    await timed('after 500,000 rows, by cursor', { after: at(5.8) }),
    await timed('after 100,000 rows, by offset', { offset: 100_000 }),
    await timed('status failed', { statuses: ['failed'] }),
    await timed('status running or paused', { statuses: ['running', 'paused'] }),
    await timed('one workflow', { workflowId: 'workflow-3' }),
    await timed('a version with four executions', { workflowId: 'workflow-7', workflowVersion: '0.9' }),
    await timed('label env:prod', { labels: [{ key: 'env', value: 'prod' }] }),
    await timed('label customer:c123', { labels: [{ key: 'customer', value: 'c123' }] }),
    await timed('one hour', { from: at(3), before: at(3 + 1 / 24) }),
    await timed('completed, one workflow, one day', {
      statuses: ['completed'],
      workflowId: 'workflow-3',
      from: at(4),
      before: at(5),
    }),
    await timed('completed and label env:prod', { statuses: ['completed'], labels: [{ key: 'env', value: 'prod' }] }),
    await timed('failed and label env:prod (none)', { statuses: ['failed'], labels: [{ key: 'env', value: 'prod' }] }),
  ];
  await store.close();
  return pages;
}

function bareRead(path: string): number {
  const db = new Database(path, { readonly: true });
  const ids = db.prepare<[number], string>('SELECT id FROM executions ORDER BY id DESC LIMIT ?').pluck().all(PAGE);
  const read = db.prepare(EXECUTION_BY_ID);
  const tookMs: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const beganMs = performance.now();
    for (const id of ids) read.get(id);
    tookMs.push(performance.now() - beganMs);
  }
  db.close();
  return median(tookMs);
}

async function overHttp(folder: string): Promise<PageTime> {
  const server = await serve(folder, 'lists.db');
  try {
    const lane = await HttpConnection.open(server.url, server.token);
    const tookMs: number[] = [];
    let rows = 0;
    for (let time = 0; time < TIMES; time += 1) {
      const beganMs = performance.now();
      const reply = await lane.send('GET', `/executions?limit=${PAGE}`);
      tookMs.push(performance.now() - beganMs);
      rows = (JSON.parse(reply.body) as { readonly executions: readonly unknown[] }).executions.length;
    }
    lane.close();
    return { what: 'first page, over HTTP', rows, p50Ms: median(tookMs) };
  } finally {
    await server.stop();
  }
}
