import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileWatcher } from '../../src/project/file-watcher.ts';
import { folderWith } from './files.ts';

/** Watches files of a folder; `next` resolves to the paths of the next change that has not been asked for. */
function watched(folder: string, files: readonly string[]) {
  const changes: (readonly string[])[] = [];
  let wake: (() => void) | null = null;
  const watcher = new FileWatcher(
    (paths) => {
      changes.push(paths.map((path) => relative(folder, path)).sort());
      wake?.();
    },
    (error) => {
      throw error;
    },
  );
  onTestFinished(() => watcher.close());
  watcher.watch(files.map((file) => join(folder, file)));
  const next = async (): Promise<readonly string[]> => {
    while (changes.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return changes.shift() ?? [];
  };
  return { watcher, next };
}

describe('FileWatcher', () => {
  it('tells of a file that is written', async () => {
    const folder = folderWith({ 'a.ts': '1' });
    const { next } = watched(folder, ['a.ts']);
    writeFileSync(join(folder, 'a.ts'), '2');
    expect(await next()).toEqual(['a.ts']);
  });

  it('follows a file that an editor replaces by a rename, again and again', async () => {
    const folder = folderWith({ 'a.ts': '1' });
    const { next } = watched(folder, ['a.ts']);
    for (const text of ['2', '3', '4']) {
      writeFileSync(join(folder, '.a.ts.swp'), text);
      renameSync(join(folder, '.a.ts.swp'), join(folder, 'a.ts'));
      expect(await next()).toEqual(['a.ts']);
    }
  });

  it('tells of files that are saved together once', async () => {
    const folder = folderWith({ 'a.ts': '1', 'lib/b.ts': '1' });
    const { next } = watched(folder, ['a.ts', 'lib/b.ts']);
    writeFileSync(join(folder, 'a.ts'), '2');
    writeFileSync(join(folder, 'lib/b.ts'), '2');
    expect(await next()).toEqual(['a.ts', 'lib/b.ts']);
  });

  it('is silent about other files', async () => {
    const folder = folderWith({ 'a.ts': '1', 'other.ts': '1' });
    const { next } = watched(folder, ['a.ts']);
    writeFileSync(join(folder, 'other.ts'), '2');
    writeFileSync(join(folder, 'a.ts'), '2');
    expect(await next()).toEqual(['a.ts']);
  });

  it('tells of a missing file that appears, in a folder that appears', async () => {
    const folder = folderWith({ 'a.ts': '1' });
    const { next } = watched(folder, ['a.ts', 'lib/deep/b.ts']);
    mkdirSync(join(folder, 'lib/deep'), { recursive: true });
    expect(await next()).toEqual(['lib']);
    writeFileSync(join(folder, 'lib/deep/b.ts'), '1');
    expect(await next()).toEqual(['lib/deep/b.ts']);
  });

  it('tells of files whose folder is deleted and made again', async () => {
    const folder = folderWith({ 'lib/b.ts': '1', 'a.ts': '1' });
    const { next } = watched(folder, ['a.ts', 'lib/b.ts']);
    rmSync(join(folder, 'lib'), { recursive: true });
    await next();
    mkdirSync(join(folder, 'lib'));
    await next();
    writeFileSync(join(folder, 'lib/b.ts'), '2');
    expect(await next()).toEqual(['lib/b.ts']);
  });

  it('watches other files from one moment to the next', async () => {
    const folder = folderWith({ 'a.ts': '1', 'b/b.ts': '1' });
    const { watcher, next } = watched(folder, ['a.ts']);
    watcher.watch([join(folder, 'b/b.ts')]);
    writeFileSync(join(folder, 'a.ts'), '2');
    writeFileSync(join(folder, 'b/b.ts'), '2');
    expect(await next()).toEqual(['b/b.ts']);
  });
});
