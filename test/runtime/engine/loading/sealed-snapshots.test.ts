import Database from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { createRuntime } from '../../../../src/runtime/index.ts';
import type { Store } from '../../../../store/port/store.ts';
import { openPostgres } from '../../../../store/postgres/open.ts';
import { openSqlite } from '../../../../store/sqlite/open.ts';
import { postgresDatabase, postgresServer } from '../../../support/postgres.ts';
import { CALLER, databasePath, eventually } from '../../../support/runtimes.ts';

const server = postgresServer();
const KEY = 'a key of the operator';

interface Files {
  open(hmacKey?: string): Promise<Store>;
  /** Runs one statement on the database, bypassing the store. */
  edit(statement: string): Promise<void>;
}

const ENGINES: Readonly<Record<string, () => Promise<Files>>> = {
  async sqlite() {
    const path = databasePath();
    return {
      open: (hmacKey) => openSqlite({ path, writer: 'test', nowMs: Date.now, ...(hmacKey === undefined ? {} : { hmacKey }) }),
      async edit(statement) {
        const database = new Database(path);
        database.exec(statement);
        database.close();
      },
    };
  },
  async postgres() {
    const url = await postgresDatabase(server).url();
    return {
      open: (hmacKey) => openPostgres({ url, writer: 'test', nowMs: Date.now, ...(hmacKey === undefined ? {} : { hmacKey }) }),
      async edit(statement) {
        const client = new Client({ connectionString: url });
        await client.connect();
        await client.query(statement);
        await client.end();
      },
    };
  },
};

const APPROVAL = { workflow_id: 'ask', version: '1', nodes: { ask: { kind: { type: 'human_approval' } } }, edges: [] } as never;
const EDITED = `UPDATE checkpoints SET snapshot = replace(snapshot, '"amount":10', '"amount":99')`;
const FORGET = `UPDATE checkpoints SET digest = 'sha256 ${'A'.repeat(43)}'`;

describe.each(Object.entries(ENGINES))('a stored snapshot, on %s', (_name, files) => {
  async function running(store: Store) {
    const errors: unknown[] = [];
    const runtime = await createRuntime({ store, checkpointLogBytes: 0, onError: (error) => errors.push(error) });
    const close = async (): Promise<void> => {
      await runtime.close(0);
      await store.close();
    };
    onTestFinished(close);
    return { runtime, errors, close };
  }

  /** An execution that waits for a decision on an amount of 10, in a database without a runtime. */
  async function stored(open: () => Promise<Store>, input: JsonObject = { amount: 10 }): Promise<string> {
    const { runtime, close } = await running(await open());
    await runtime.register(CALLER, APPROVAL);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'ask', input });
    await eventually(async () => (await runtime.execution('default', executionId)).status === 'paused');
    await close();
    return executionId;
  }

  it.each([undefined, KEY])('that was edited is detected, and the log is replayed instead (key: %s)', async (key) => {
    const { open, edit } = await files();
    const id = await stored(() => open(key));
    await edit(EDITED);
    const store = await open(key);
    expect((await store.verifyAudit()).fault).toMatchObject({ reason: 'snapshot', tenantId: 'default', executionId: id });
    const { runtime, errors } = await running(store);
    expect((await runtime.execution('default', id)).state).toEqual({ amount: 10 });
    expect(errors).toMatchObject([{ message: expect.stringContaining(`the snapshot of execution ${id}`) }]);
    await runtime.approve(CALLER, id, { decision: 'approved' });
    expect((await runtime.execution('default', id)).state).toMatchObject({ amount: 10 });
    expect((await store.verifyAudit()).fault).toBeNull();
  });

  it('without a signature is not trusted when a key is given, and is not reported as a fault', async () => {
    const { open, edit } = await files();
    const id = await stored(() => open(KEY));
    await edit(EDITED);
    await edit(FORGET);
    const store = await open(KEY);
    expect((await store.verifyAudit()).fault).toBeNull();
    const { runtime, errors } = await running(store);
    expect((await runtime.execution('default', id)).state).toEqual({ amount: 10 });
    expect(errors).toEqual([]);
  });

  it('may be large', async () => {
    const { open, edit } = await files();
    const id = await stored(() => open(), { amount: 10, text: 'x'.repeat(10_000) });
    const store = await open();
    expect(await store.checkpoint(id)).not.toHaveProperty('seal');
    expect((await store.verifyAudit()).fault).toBeNull();
    await edit(EDITED);
    expect(await store.checkpoint(id)).toMatchObject({ seal: 'broken' });
    await store.close();
  });
});
