import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ExecutionPageRequest } from '../../../store/port/execution-search.ts';
import { openSqlite } from '../../../store/sqlite/open.ts';
import { exact, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { generate, type Variation } from '../../subjects/generated.ts';
import { HttpConnection } from '../../subjects/http-connection.ts';
import { serve } from '../../subjects/server.ts';
import { WAITING } from '../../subjects/workflows.ts';

const EXECUTIONS = 1_000_000;
const PAGE = 50;
const TIMES = 51;

interface PageTime {
  readonly what: string;
  readonly rows: number;
  readonly p50Ms: number;
}

const START_MS = Date.UTC(2026, 0, 1);

/** One execution per second; nine in ten completed, one in ten labelled, twenty workflows. */
function variation(n: number): Variation {
  const atMs = START_MS + n * 1_000;
  const status = statusOf(n);
  const completedAtMs = status === 'running' || status === 'paused' ? null : atMs;
  return {
    atMs,
    create: {
      workflowId: `workflow-${n % 20}`,
      workflowVersion: n % 250_000 === 7 ? '0.9' : '1.0',
      labels: n % 10 === 3 ? JSON.stringify({ env: 'prod', customer: `c${n % 1_000}` }) : '{}',
    },
    progress: { status, completedAtMs },
  };
}

function statusOf(n: number): string {
  if (n % 10 > 0) return 'completed';
  return ['failed', 'paused', 'running', 'cancelled', 'cancelled'][(n % 50) / 10] ?? 'cancelled';
}

/** Measures pages of a long list, in process and over HTTP. */
export async function lists(folder: string): Promise<readonly Table[]> {
  const path = join(folder, 'lists.db');
  const startedMs = performance.now();
  await generate(folder, { name: 'lists', count: EXECUTIONS, documents: [WAITING], vary: variation });
  const buildSeconds = (performance.now() - startedMs) / 1000;
  const bareMs = bareRead(path);
  const pages = [...(await inProcess(path)), await overHttp(folder)];
  const row = ({ what, rows, p50Ms }: PageTime): Row => ({ label: what, values: [p50Ms, p50Ms / bareMs, rows] });
  return [
    {
      title: `Lists: ${PAGE} of ${EXECUTIONS.toLocaleString('en-US')} executions (built in ${buildSeconds.toFixed(1)} s)`,
      columns: [wall('p50 ms', 2), wall('÷ plain', 1), { ...exact('found', 0), better: 'more' }],
      rows: [row({ what: `${PAGE} plain reads by primary key`, rows: PAGE, p50Ms: bareMs }), ...pages.map(row)],
    },
  ];
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
  const read = db.prepare('SELECT * FROM executions WHERE id = ?');
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
