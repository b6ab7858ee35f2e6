import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqlite } from '../../store/sqlite/open.ts';
import { startServer as startHere } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { sampleOf } from '../support/properties.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';

const EXECUTIONS = sampleOf(600);
const waiting = ir('waiting', { hold: { type: 'wait', condition: 'external_event', correlation_key: 'go' } }, [['hold', 'end']]);

async function start(folder: string): Promise<Server> {
  // All executions are started at once, which a busy machine does not manage in time.
  const server = await startServer({ folder, env: { JAMJET_MAX_WAIT_MS: '0' } });
  onTestFinished(async () => void (await server.kill()));
  return server;
}

it.each(['kill', 'terminate'] as const)('a bulk job continues after %s, and processes each execution once', async (end) => {
  const folder = temporaryFolder(onTestFinished);
  const server = await start(folder);
  await server.client.registerWorkflow(waiting);
  const request = { workflow_id: 'waiting', labels: { batch: 'first' } };
  await Promise.all(Array.from({ length: EXECUTIONS }, () => server.client.start(request)));
  const { id } = await server.client.jobs.start({ action: 'cancel', filter: { label: 'batch:first' }, reason: 'recalled' });
  const { execution_id: later } = await server.client.start(request);
  for (let processed = 0; processed < EXECUTIONS / 3; ) ({ processed } = await server.client.jobs.get(id));
  await server[end]();

  const next = await startHere({ folder });
  const job = await next.client.jobs.get(id, { waitMs: 60_000 });
  expect(job).toMatchObject({ status: 'completed', matched: EXECUTIONS, processed: EXECUTIONS, failed: 0, errors: [] });
  expect((await next.client.execution(later)).status).toBe('paused');
  let found = 0;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await next.client.executions({ status: 'cancelled', limit: 1_000, ...(cursor === '' ? {} : { cursor }) });
    found += page.executions.length;
    cursor = page.next_cursor;
  }
  expect(found).toBe(EXECUTIONS);
  await next.kill();

  const store = await openSqlite({ path: join(folder, 'runtime.db'), nowMs: Date.now });
  onTestFinished(() => store.close());
  expect((await store.verifyAudit()).fault).toBeNull();
});
