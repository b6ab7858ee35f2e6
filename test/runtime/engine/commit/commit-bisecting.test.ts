import Database from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { EventView } from '../../../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../../../src/runtime/types/server-runtime.ts';
import { openCluster } from '../../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../../support/postgres.ts';
import { CALLER, openTestRuntime } from '../../../support/runtimes.ts';

const server = postgresServer();

interface Engine {
  readonly runtime: ServerRuntime;
  readonly errors: readonly unknown[];
  log(id: string): Promise<readonly EventView[]>;
  /** Makes the database refuse events that contain the word `poison`. */
  poison(): Promise<void>;
}

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  async sqlite() {
    const bench = await openTestRuntime();
    const poison = async (): Promise<void> => {
      const database = new Database(bench.path);
      database.exec(`CREATE TRIGGER poison BEFORE INSERT ON log_entries WHEN instr(NEW.body, 'poison') > 0
        BEGIN SELECT RAISE(ABORT, 'not to be stored'); END`);
      database.close();
    };
    return { ...bench, poison };
  },
  async postgres() {
    const database = postgresDatabase(server);
    const member = await openCluster(database).join();
    const poison = async (): Promise<void> => {
      const client = new Client({ connectionString: await database.url() });
      await client.connect();
      await client.query(`CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF position('poison' IN NEW.body) > 0 THEN RAISE EXCEPTION 'not to be stored' USING ERRCODE = '22000'; END IF;
        RETURN NEW; END $$`);
      await client.query('CREATE TRIGGER poison BEFORE INSERT ON log_entries FOR EACH ROW EXECUTE FUNCTION poison()');
      await client.end();
    };
    return { ...member, poison };
  },
};

const APPROVAL = { workflow_id: 'ask', version: '1', nodes: { ask: { kind: { type: 'human_approval' } } }, edges: [] } as never;

describe.each(Object.entries(ENGINES))('a write that the database refuses, on %s', (_name, open) => {
  it('fails only its own execution of those committed together', async () => {
    const { runtime, log, poison } = await open();
    await runtime.register(CALLER, APPROVAL);
    await poison();
    const texts = Array.from({ length: 9 }, (_, i) => (i === 4 || i === 7 ? 'poison' : `wine ${i}`));
    const started = await Promise.allSettled(texts.map((text) => runtime.start(CALLER, { workflowId: 'ask', input: { text } })));
    expect(started.map(({ status }) => status)).toEqual(texts.map((text) => (text === 'poison' ? 'rejected' : 'fulfilled')));
    for (const each of started) {
      if (each.status === 'rejected') expect(String(each.reason)).toContain('not to be stored');
      else expect((await log(each.value.executionId)).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    }
  });

  it('fails only its own message of those that the execution processed together', async () => {
    const { runtime, log, poison } = await open();
    await runtime.register(CALLER, APPROVAL);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'ask', input: {} });
    await poison();
    const texts = ['water', 'poison', 'wine'];
    const sent = await Promise.allSettled(
      texts.map((text) => runtime.sendEvent(CALLER, executionId, { key: text, payload: text })),
    );
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const events = await log(executionId);
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(JSON.stringify(events)).not.toContain('poison');
  });
});
