import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteDatabase } from '../support/stores.ts';

const SCRIPT = new URL('./store-child.mjs', import.meta.url).pathname;

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  readonly lines: string[];
  /** Resolves when the process has printed that many lines. */
  printed(count: number): Promise<void>;
  /** The exit code; null if the process was killed. */
  readonly ended: Promise<number | null>;
}

function child(mode: 'once' | 'forever', path: string, name: string): Child {
  const started = spawn(process.execPath, [SCRIPT, mode, path, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void started.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: started.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(started, 'close').then(() => started.exitCode);
  return {
    process: started,
    lines,
    ended,
    async printed(count) {
      while (lines.length < count) {
        const more = await Promise.race([once(reader, 'line'), ended.then(() => null)]);
        if (more === null && lines.length < count) throw new Error(`${name} ended after ${lines.length} lines`);
      }
    },
  };
}

describe('several processes on one database', () => {
  it('create it concurrently: one migrates, all write', async () => {
    const one = sqliteDatabase();
    const names = Array.from({ length: 6 }, (_, index) => `p${index}`);
    const codes = await Promise.all(names.map((name) => child('once', one.path, name).ended));
    expect(codes).toEqual(names.map(() => 0));
    const store = await one.open();
    const { rows } = await store.tenant('default').executions({ limit: 10, offset: 0 });
    expect(rows.map((row) => row.id).reverse()).toEqual(names.map((name) => `exec_${name}`));
    expect(await store.verifyAudit()).toMatchObject({ blocks: 6, fault: null });
  });

  it('cannot both run on it; the second is refused with the name of the first', async () => {
    const one = sqliteDatabase();
    const first = child('forever', one.path, 'rt_first');
    await first.printed(1);
    const store = await one.open();
    const attempt = store.lock({ runtimeId: 'rt_second', pid: process.pid, startedAtMs: 0 });
    await expect(attempt).rejects.toMatchObject({ code: 'store_locked' });
    await expect(attempt).rejects.toThrow(new RegExp(`rt_first \\(process ${first.process.pid}`));
  });
});

describe('a runtime that is killed while it writes', () => {
  it('leaves every acknowledged commit, a valid chain, and a free lock', async () => {
    const one = sqliteDatabase();
    const runtime = child('forever', one.path, 'rt_killed');
    await runtime.printed(200);
    runtime.process.kill('SIGKILL');
    expect(await runtime.ended).toBeNull();
    const acknowledged = runtime.lines.slice(1);

    const store = await one.open();
    await store.lock({ runtimeId: 'rt_next', pid: process.pid, startedAtMs: 0 });
    for (const id of acknowledged) {
      expect(await store.execution(id)).toMatchObject({ seq: 1 });
      expect((await store.events(id, { after: 0, limit: 10 })).rows).toHaveLength(1);
    }
    expect(await store.verifyAudit()).toMatchObject({ fault: null });
  });
});
