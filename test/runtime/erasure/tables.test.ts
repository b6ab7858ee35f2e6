import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { api } from '../../api/support/api.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { EMAIL, leavePersonalData, MARKERS, TABLES } from './personal-data.ts';

/** All rows of each table, as text. */
function rowsOf(path: string): ReadonlyMap<string, string> {
  const db = new Database(path, { readonly: true });
  try {
    const names = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    return new Map(names.map((name) => [name, JSON.stringify(db.prepare(`SELECT * FROM "${name}"`).all())]));
  } finally {
    db.close();
  }
}

it('personal data that went everywhere is in no table, and in no byte of the database, when the executions have been erased', async () => {
  const { server, id } = await leavePersonalData();
  const personal = { error: expect.stringContaining('thread: the id is personal data') };
  expect((await server.runtime.execution('default', id)).state).toMatchObject({
    asked: [{ error: expect.stringContaining('answered 503') }, {}],
    called: [1, 1],
    fetched: [1, 1],
    looked_up: [1, 1],
    threaded: [personal, personal],

    child: { done: '[REDACTED]' },
  });
  await server.close();
  const rows = rowsOf(server.path);
  expect([...rows.keys()].sort()).toEqual(Object.keys(TABLES.sqlite).sort());
  const found = [...rows].flatMap(([name, text]) =>
    MARKERS.filter((marker) => text.includes(marker)).map((marker) => `${name}: …${around(text, marker)}…`),
  );
  expect(found).toEqual([]);
  const bytes = readFileSync(server.path, 'latin1');
  for (const marker of MARKERS) expect(bytes.includes(marker), around(bytes, marker)).toBe(false);
  expect(rows.get('idempotency')).toContain('"request_hash":""');
  expect(rows.get('idempotency')).not.toMatch(/"request_hash":"[0-9a-f]/);
  expect(rows.get('execution_keys')).toBe('[]');
});

it('what is given to be found by, or to be kept, stays as it is, in these tables alone', async () => {
  const nodes = {
    note: { kind: { type: 'tool', tool_ref: 'note' } },
    ask: { kind: { type: 'human_approval' } },
  };
  const server = await api({
    background: true,
    tools: { note: async (_input: unknown, { memory }: ToolContext) => void (await memory.add(EMAIL, { text: EMAIL })) },
  });
  const { runtime, store } = server;
  await runtime.register(CALLER, {
    workflow_id: 'w',
    version: '1',
    data_policy: { pii_detectors: ['email'] },
    nodes,
    edges: [{ from: 'note', to: 'ask' }],
  });
  const { executionId } = await runtime.start(CALLER, {
    workflowId: 'w',
    input: {},
    labels: { who: EMAIL },
    idempotencyKey: EMAIL,
  });
  await runtime.enqueue(CALLER, { executionId, nodeId: 'ask', queueType: EMAIL, payload: {} });
  const work = { workerId: EMAIL, queueTypes: [EMAIL], maxItems: 1, waitMs: 60_000 };
  const [item] = await runtime.claim({ ...CALLER, actorId: EMAIL }, work);
  await runtime.complete(CALLER, item?.id ?? '', { leaseFence: item?.leaseFence ?? 0, output: null });
  await server.settled(executionId);
  await server.post(`/executions/${executionId}/approve`, { decision: 'approved', user_id: EMAIL });
  await server.post('/executions/bulk', { action: 'cancel', all: true, reason: EMAIL }, { as: 'operator' });
  await eventually(async () => {
    const { status } = await runtime.execution('default', executionId);
    return status === 'completed' && (await store.erasures.pending({ after: '', limit: 1 })).length === 0;
  });
  await server.close();
  const found = [...rowsOf(server.path)].flatMap(([name, text]) => (text.includes(EMAIL) ? [name] : []));
  expect(found.filter((name) => TABLES.sqlite[name] !== 'named')).toEqual(['control_events']);
  const index = /^memory_(index|terms)/;
  const named = Object.keys(TABLES.sqlite).filter((name) => TABLES.sqlite[name] === 'named' && !index.test(name));
  expect(found.filter((name) => name !== 'control_events').sort()).toEqual(named.sort());
});

function around(text: string, marker: string): string {
  const at = text.indexOf(marker);
  return text.slice(Math.max(0, at - 300), at + 60);
}
