import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRuntime } from '../../src/runtime/index.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { surveySqlite } from '../../store/sqlite/survey.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../support/runtimes.ts';

const APPROVAL = { workflow_id: 'ask', version: '1', nodes: { ask: { kind: { type: 'human_approval' } } }, edges: [] } as never;
const HEARTBEAT_MS = 20_000;

const open = (path: string) => openSqlite({ path, writer: 'test', nowMs: Date.now });

describe('a runtime whose database file', () => {
  const changes: readonly (readonly [string, (path: string) => void])[] = [
    ['is removed', (path) => rmSync(path)],
    [
      'is replaced by a copy',
      (path) => {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    ['loses its write-ahead log', (path) => rmSync(`${path}-wal`)],
  ];

  it.each(changes)('%s takes no more requests, and detects it by itself', async (_way, change) => {
    const { runtime, path, clock } = await openTestRuntime();
    await runtime.register(CALLER, APPROVAL);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'ask' });
    change(path);
    const replaced = { code: 'store_replaced' };
    await expect(runtime.start(CALLER, { workflowId: 'ask' })).rejects.toMatchObject(replaced);
    await expect(runtime.approve(CALLER, executionId, { decision: 'approved' })).rejects.toMatchObject(replaced);
    await eventually(() => runtime.storeFault === 'store_replaced');
    clock.advance(HEARTBEAT_MS);
    expect(runtime.storeFault).toBe('store_replaced');
  });

  it('is removed while it is idle detects it at the next heartbeat', async () => {
    const { runtime, path, clock } = await openTestRuntime();
    rmSync(path);
    clock.advance(HEARTBEAT_MS);
    await eventually(() => runtime.storeFault === 'store_replaced');
  });

  it('is moved away and back continues', async () => {
    const { runtime, path, clock } = await openTestRuntime();
    await runtime.register(CALLER, APPROVAL);
    renameSync(path, `${path}.away`);
    await expect(runtime.start(CALLER, { workflowId: 'ask' })).rejects.toMatchObject({ code: 'store_replaced' });
    renameSync(`${path}.away`, path);
    await runtime.start(CALLER, { workflowId: 'ask' });
    clock.advance(HEARTBEAT_MS);
    await eventually(() => runtime.storeFault === null);
  });
});

describe('a second name of a database', () => {
  it('that is a hard link is refused', async () => {
    const { path } = await openTestRuntime();
    const other = join(dirname(path), 'elsewhere', 'other.db');
    mkdirSync(dirname(other));
    linkSync(path, other);
    await expect(open(other)).rejects.toMatchObject({ code: 'store_locked', message: expect.stringContaining('2 names') });
    expect((await surveySqlite(path))?.warnings).toEqual([expect.stringContaining('2 names')]);
    rmSync(other);
    expect(await surveySqlite(path)).not.toHaveProperty('warnings');
  });

  it('that is a symbolic link leads to the same lock', async () => {
    const { path } = await openTestRuntime();
    const other = `${path}.link`;
    symlinkSync(path, other);
    const store = await open(other);
    onTestFinished(() => store.close());
    await expect(createRuntime({ store })).rejects.toMatchObject({ code: 'store_locked' });
  });
});

describe('a lock file that is removed', () => {
  it('is restored at the next heartbeat, and reported until then', async () => {
    const { runtime, path, clock } = await openTestRuntime();
    rmSync(`${path}-lock`);
    expect((await surveySqlite(path))?.warnings).toEqual([expect.stringContaining(`process ${process.pid} is alive`)]);
    clock.advance(HEARTBEAT_MS);
    await eventually(() => existsSync(`${path}-lock`));
    expect(await surveySqlite(path)).toMatchObject({ runtimes: [{ id: runtime.id }] });
    const store = await open(path);
    onTestFinished(() => store.close());
    await expect(createRuntime({ store })).rejects.toMatchObject({ code: 'store_locked' });
  });

  it('stops the runtime when another one has taken the lock', async () => {
    const { runtime, path, clock } = await openTestRuntime();
    await runtime.register(CALLER, APPROVAL);
    rmSync(`${path}-lock`);
    const store = await open(path);
    const second = await createRuntime({ store });
    onTestFinished(async () => {
      await second.close(0);
      await store.close();
    });
    clock.advance(HEARTBEAT_MS);
    await eventually(() => runtime.storeFault === 'store_locked');
    await expect(runtime.start(CALLER, { workflowId: 'ask' })).rejects.toMatchObject({ code: 'store_locked' });
    await second.start(CALLER, { workflowId: 'ask' });
  });
});

/** A file system of 8 MiB; null where it cannot be mounted. */
function smallDisk(): string | null {
  const folder = join(dirname(databasePath()), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

describe('a full disk', () => {
  it('is reported when the database is opened, whatever cannot be written', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === null) return skip('mounting a file system is not permitted here');
    const path = join(folder, 'runtime.db');
    await (await open(path)).close();
    const filler = join(folder, 'filler');
    for (const roomKib of [0, 8, 24, 32]) {
      rmSync(filler, { force: true });
      for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
      fill(filler, roomKib);
      const opened = open(path).then(async (store) => {
        onTestFinished(() => store.close());
        await createRuntime({ store });
      });
      await expect(opened).rejects.toMatchObject({ code: 'store_full', message: expect.stringContaining('the disk is full') });
    }
  });

  it('is reported by the runtime until there is space again', async ({ skip }) => {
    const folder = smallDisk();
    if (folder === null) return skip('mounting a file system is not permitted here');
    const { runtime, clock } = await openTestRuntime({ path: join(folder, 'runtime.db') });
    await runtime.register(CALLER, APPROVAL);
    const filler = join(folder, 'filler');
    fill(filler, 0);
    const start = () => runtime.start(CALLER, { workflowId: 'ask', input: { text: 'x'.repeat(100_000) } });
    await expect(start()).rejects.toMatchObject({ code: 'store_full' });
    await eventually(() => runtime.storeFault === 'store_full');
    rmSync(filler);
    await start();
    await eventually(() => {
      clock.advance(1_000);
      return runtime.storeFault === null;
    });
  });
});

/** Fills the disk, except for some KiB. */
function fill(filler: string, roomKib: number): void {
  const { bavail, bsize } = statfsSync(dirname(filler));
  writeFileSync(filler, Buffer.alloc(bavail * bsize - roomKib * 1024));
}
