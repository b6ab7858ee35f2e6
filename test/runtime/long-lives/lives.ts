import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import type { ExecutionView } from '../../../src/runtime/types/executions.ts';
import { type Api, type ApiOptions, api } from '../../api/support/api.ts';
import { updateTenant } from '../../api/support/tenants.ts';
import { type Read, readCounter, readsDuring } from '../../support/counted-reads.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { TRIES_ALL } from '../../support/properties.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** `npm run lives` has the long form. */
export const TURNS = TRIES_ALL ? 100_000 : 1_000;
/** Ends a test that hangs. */
export const TIMEOUT_MS = (TRIES_ALL ? 24 : 2) * PATIENCE_MS;
const MARKS = TRIES_ALL ? 10 : 4;

const MIB = 2 ** 20;
/** What the heap may grow by from the first mark to the last, beside noise of other tests in the same process. */
const MAX_HEAP_GROWTH = 6 * MIB;
/** Pages that a table may have more of: it is not empty any more, or its tree is one level higher. */
const PAGES = 4 * 4_096;

/** Kept when executions are removed: the proof of what there was, who removed it, and what was said. */
const KEPT: ReadonlySet<string> = new Set(['audit_blocks', 'control_events', 'removed_executions', 'thread_messages']);

/** What the runtime and its store hold after some turns. */
export interface Mark {
  readonly turn: number;
  readonly heapBytes: number;
  /** By table, with its indexes. */
  readonly tableBytes: Readonly<Record<string, number>>;
  /** Of the state, as JSON. */
  readonly stateBytes: number;
  /** Those that have ended and are in the store. */
  readonly segments: readonly SegmentSize[];
  /** Of the turns of one segment, the last ones before the mark. */
  readonly reads: number;
  readonly readSteps: number;
}

export interface SegmentSize {
  readonly steps: number;
  readonly events: number;
  readonly logBytes: number;
  readonly snapshotBytes: number;
}

export interface Life {
  readonly name: string;
  readonly turns: number;
  readonly turnsPerSegment: number;
  /** Takes one turn; resolves to the present segment. */
  readonly turn: (n: number) => Promise<ExecutionView>;
}

/** What a server has without its routes. Ended executions are kept for a day, and the cache holds less than the test makes. */
export async function openLife(options: ApiOptions): Promise<Api> {
  const opened = await api({ background: true, cacheBytes: MIB, ...options });
  expect((await updateTenant(opened, 'default', { limits: { retention_days: 1 } })).status).toBe(200);
  return opened;
}

/** The segment that is alive, once it waits or has ended. */
export function follower({ runtime }: Api, first: string): () => Promise<ExecutionView> {
  let id = first;
  return async () => {
    for (;;) {
      const view = await runtime.settled('default', id);
      if (view.nextExecutionId === null) return view;
      id = view.nextExecutionId;
    }
  };
}

/** Takes all turns, and expects that nothing grows with them. */
export async function live(it: Api, { name, turns, turnsPerSegment, turn }: Life): Promise<void> {
  const marks: Mark[] = [];
  const startedMs = performance.now();
  let maxRss = 0;
  for (let taken = 0; taken < turns; ) {
    const until = Math.round((turns / MARKS) * (marks.length + 1));
    for (; taken < until - turnsPerSegment; taken += 1) await turn(taken);
    let stateBytes = 0;
    const reads = await readsDuring(async () => {
      for (; taken < until; taken += 1) stateBytes = JSON.stringify((await turn(taken)).state).length;
    });
    maxRss = Math.max(maxRss, process.memoryUsage.rss());
    const { tableBytes, segments } = stored(it);
    // The first segment fills what is bounded.
    const later = marks.length === 0 ? segments.slice(1) : segments;
    marks.push({ turn: taken, heapBytes: heapBytes(), stateBytes, tableBytes, segments: later, ...(await costOf(it, reads)) });
  }
  if (TRIES_ALL) report(name, marks, turns / ((performance.now() - startedMs) / 1_000), maxRss);
  expectSteady(marks);
  expect(it.errors).toEqual([]);
}

function heapBytes(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

async function costOf({ path }: Api, reads: readonly Read[]): Promise<Pick<Mark, 'reads' | 'readSteps'>> {
  const counter = await readCounter(path);
  const readSteps = reads.reduce((sum, read) => sum + counter.cost(read).steps, 0);
  counter.close();
  return { reads: reads.length, readSteps };
}

function stored({ path }: Api): Pick<Mark, 'tableBytes' | 'segments'> {
  const db = new Database(path, { readonly: true });
  try {
    const tables = db.prepare<[], { name: string; bytes: number }>(
      'SELECT s.tbl_name AS name, sum(d.pgsize) AS bytes FROM dbstat d JOIN sqlite_master s ON s.name = d.name GROUP BY 1',
    );
    const segments = db.prepare<[], SegmentSize>(
      `SELECT steps, seq AS events,
         (SELECT sum(length(body)) FROM log_entries e WHERE e.log_id = x.log_id) AS logBytes,
         (SELECT coalesce(sum(length(snapshot)), 0) FROM checkpoints c WHERE c.execution_id = x.id) AS snapshotBytes
       FROM executions x WHERE status = 'limit_exceeded' ORDER BY id`,
    );
    return { tableBytes: Object.fromEntries(tables.all().map(({ name, bytes }) => [name, bytes])), segments: segments.all() };
  } finally {
    db.close();
  }
}

function expectSteady(marks: readonly Mark[]): void {
  const first = marks[0] as Mark;
  const last = marks.at(-1) as Mark;
  expect(last.heapBytes - first.heapBytes).toBeLessThan(MAX_HEAP_GROWTH);
  for (const { turn, tableBytes, stateBytes, segments, reads, readSteps } of marks) {
    const at = `after ${turn} turns`;
    // Numbers have more digits.
    expect(Math.abs(stateBytes - first.stateBytes), `state ${at}`).toBeLessThan(64);
    expect(segments.length, `segments ${at}`).toBeGreaterThan(0);
    for (const key of ['steps', 'events', 'logBytes', 'snapshotBytes'] as const) {
      const sizes = [...first.segments, ...segments].map((segment) => segment[key]);
      expect(Math.max(...sizes), `${key} of a segment ${at}`).toBeLessThanOrEqual(1.05 * Math.min(...sizes) + 8);
    }
    expect(reads, `reads ${at}`).toBeLessThanOrEqual(1.2 * first.reads);
    expect(readSteps, `cost of reads ${at}`).toBeLessThanOrEqual(1.3 * first.readSteps);
    for (const [table, bytes] of Object.entries(tableBytes)) {
      const before = first.tableBytes[table] ?? 0;
      // In proportion to the turns, or not at all: what has ended is removed after one day, and at most two.
      const most = KEPT.has(table) ? (1.1 * before * turn) / first.turn : 2 * before;
      expect(bytes, `${table} ${at}`).toBeLessThanOrEqual(most + PAGES);
    }
  }
}

function report(name: string, marks: readonly Mark[], perSecond: number, maxRss: number): void {
  const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
  const bytesIn = ({ tableBytes }: Mark, isKept: boolean): number =>
    Object.entries(tableBytes).reduce((sum, [table, bytes]) => (KEPT.has(table) === isKept ? sum + bytes : sum), 0);
  const lines = marks.map((mark) => {
    const { turn, heapBytes: heap, stateBytes, segments, reads, readSteps } = mark;
    const stores = `store ${mib(bytesIn(mark, false))} MiB and ${Math.round(bytesIn(mark, true) / turn)} B a turn that are kept`;
    const segment = `a segment ${JSON.stringify(segments.at(-1))}, its reads ${reads} with ${readSteps} steps`;
    return `  ${turn}: heap ${mib(heap)} MiB, state ${stateBytes} B, ${stores}, ${segment}`;
  });
  console.log([`${name}: ${perSecond.toFixed(0)} turns/s, RSS at most ${mib(maxRss)} MiB`, ...lines].join('\n'));
}
