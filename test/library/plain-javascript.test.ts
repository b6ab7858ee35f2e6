import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRuntime, openSqlite } from '../../src/index.ts';
import { temporaryFolder } from '../support/stores.ts';

describe('a program without types', () => {
  it('may open a database by its path alone', async () => {
    const store = await openSqlite(join(temporaryFolder(), 'runs.db'));
    await store.close();
    await expect(openSqlite({} as never)).rejects.toThrow("openSqlite needs the path of the database: openSqlite('runs.db')");
    await expect(openSqlite(undefined as never)).rejects.toThrow('openSqlite needs the path of the database');
  });

  it('is told what a start needs', async () => {
    const store = await openSqlite(join(temporaryFolder(), 'started.db'));
    const runtime = await createRuntime({ store });
    onTestFinished(async () => {
      await runtime.close();
      await store.close();
    });
    const start = runtime.start as (...given: unknown[]) => Promise<unknown>;
    await expect(start()).rejects.toThrow('start needs a definition or the id of a workflow, and its input');
  });
});
