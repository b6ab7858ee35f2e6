import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkExport } from '../../store/audit/check-export.ts';
import type { Store } from '../../store/port/store.ts';
import { FakeClock } from '../support/clock.ts';
import { type Call, goldenEngines, HMAC_KEY, serveStore } from '../support/golden-databases.ts';
import { postgresServer } from '../support/postgres.ts';

/** A little after the databases were written. */
const OPENED_MS = Date.UTC(2026, 10, 27, 5, 30);
const TENANTS = ['acme', 'default', 'globex'];

const ENGINES = goldenEngines(postgresServer());

interface ExecutionItem {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sequence: number;
}

/** The fields of the replies that are looked at here. */
interface Body {
  readonly executions: readonly ExecutionItem[];
  readonly state: Readonly<Record<string, unknown>>;
  readonly matches: boolean;
  readonly jobs: readonly Readonly<Record<string, unknown>>[];
  readonly items: readonly { readonly event_type: string; readonly actor_id: string; readonly on_behalf_of?: string }[];
  readonly total: number;
}

async function serve(engine: keyof typeof ENGINES) {
  const clock = new FakeClock(OPENED_MS);
  const store = await ENGINES[engine]('schema-13-interrupted', { nowMs: () => clock.nowMs() });
  const echo = (input: object) => ({ ...input });
  return { clock, store, ...(await serveStore<Body>(store, clock, { echo, count: () => ({ round: 1 }) })) };
}

/** A whole page: all executions of the tenant. */
async function executionsOf(call: Call<Body>): Promise<readonly ExecutionItem[]> {
  return (await call('GET', '/executions?limit=200')).executions;
}

const statusesOf = (items: readonly ExecutionItem[]) =>
  Object.fromEntries(items.map(({ labels, workflow_id, status }) => [labels.case ?? workflow_id, status]));

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield chunk.replace(/\n$/, '');
}

/** Of the execution with the label, in the schema that wrote the databases. */
const ID = (label: string) => `(SELECT execution_id FROM execution_labels WHERE key = 'case' AND value = '${label}')`;
const unsealed = (id: string, seq: string) => `
  INSERT INTO events (execution_id, seq, tenant_id, type, node_id, at_ms, actor_id, actor_type, request, data)
  VALUES (${id}, ${seq}, 'default', 'execution_paused', NULL, 1795757233732, 'intruder', 'human', NULL, '{"reason":"unsealed"}')`;

/** Changes by hand, made before the upgrade, and what verification says of them after it. */
const DAMAGES: Readonly<Record<string, readonly [statement: string, reason: string, label: string | null]>> = {
  'the data of an event': [
    `UPDATE events SET data = replace(data, 'old', 'new') || ' ' WHERE execution_id = ${ID('texts')} AND seq = 1`,
    'stream_digest',
    'texts',
  ],
  'the data of an event to other than JSON': [
    `UPDATE events SET data = '{' WHERE execution_id = ${ID('delegated')} AND seq = 4`,
    'stream_digest',
    'delegated',
  ],
  'the actor of an event': [
    `UPDATE events SET actor_id = 'mallory' WHERE execution_id = ${ID('rounds')} AND seq = 100`,
    'stream_digest',
    'rounds',
  ],
  'the person for whom an agent acted': [
    `UPDATE events SET on_behalf_of = 'john' WHERE execution_id = ${ID('delegated')} AND on_behalf_of = 'jane'`,
    'stream_digest',
    'delegated',
  ],
  'the time of an event': [
    `UPDATE events SET at_ms = at_ms + 1 WHERE execution_id = ${ID('rounds')} AND seq = 323`,
    'stream_digest',
    'rounds',
  ],
  'the type of an event': [
    `UPDATE events SET type = 'node_paused' WHERE execution_id = ${ID('rounds')} AND seq = 200`,
    'stream_digest',
    'rounds',
  ],
  'a missing event': [`DELETE FROM events WHERE execution_id = ${ID('rounds')} AND seq = 150`, 'stream_digest', 'rounds'],
  'a missing last event': [`DELETE FROM events WHERE execution_id = ${ID('rounds')} AND seq = 323`, 'stream_digest', 'rounds'],
  'the workflow of an execution': [
    `UPDATE executions SET workflow_version = '2' WHERE id = ${ID('texts')}`,
    'stream_digest',
    'texts',
  ],
  'an event that no commit wrote': [unsealed(ID('rounds'), '324'), 'unsealed_rows', null],
  'an event far behind the last': [unsealed(ID('rounds'), '400'), 'unsealed_rows', null],
  'an event of no execution': [unsealed(`'exec_01a21b6000da703f837dea7f00000000'`, '1'), 'unsealed_rows', null],
  'the sealed streams of a block': [`UPDATE audit_blocks SET streams = '[]' WHERE block = 20`, 'block_hash', null],
  'the hash of a block': [`UPDATE audit_blocks SET hash = 'x' WHERE block = 20`, 'block_hash', null],
  'the signature of a block': [`UPDATE audit_blocks SET signature = 'x' WHERE block = 20`, 'signature', null],
  'a missing block': ['DELETE FROM audit_blocks WHERE block = 20', 'missing_block', null],
};

async function faultAfter(engine: keyof typeof ENGINES, statement: string) {
  const store = await ENGINES[engine]('schema-13-interrupted', { nowMs: () => OPENED_MS, statements: [statement] });
  onTestFinished(() => store.close());
  const { fault } = await store.verifyAudit();
  const label = fault?.executionId == null ? null : await labelOf(store, fault.tenantId ?? '', fault.executionId);
  return { reason: fault?.reason ?? null, label };
}

async function labelOf(store: Store, tenantId: string, executionId: string): Promise<string | null> {
  const row = await store.tenant(tenantId).execution(executionId);
  return (JSON.parse(row?.labels ?? '{}') as { case?: string }).case ?? null;
}

describe.each(['sqlite', 'postgres'] as const)('a %s database of the last release, whose process was killed', (engine) => {
  it('delivers the message that was left in the inbox, and finishes the bulk job after the last page', async () => {
    const { clock, store, errors, operatorOf } = await serve(engine);
    const call = await operatorOf('default');
    const ended = async () => {
      clock.advance(60_000);
      await setImmediate();
      const { jobs } = await call('GET', '/jobs');
      return { job: jobs[0]?.status, ...statusesOf((await executionsOf(call)).filter((item) => item.workflow_id === 'parent')) };
    };
    await expect.poll(ended).toEqual({ job: 'completed', parent: 'completed' });
    expect((await call('GET', '/jobs')).jobs).toMatchObject([{ status: 'completed', matched: 90, succeeded: 90, skipped: 0 }]);
    const bulk = (await executionsOf(call)).filter(({ workflow_id }) => workflow_id === 'bulk');
    expect([...new Set(bulk.map(({ status }) => status))]).toEqual(['cancelled']);
    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
    expect(errors).toEqual([]);
  });

  it('replays every execution of every tenant', async () => {
    const { operatorOf, errors } = await serve(engine);
    const calls = new Map(await Promise.all(TENANTS.map(async (id) => [id, await operatorOf(id)] as const)));
    for (const call of calls.values()) {
      for (const { execution_id: id } of await executionsOf(call))
        expect(await call('GET', `/executions/${id}/replay`)).toMatchObject({ matches: true });
    }
    const acme = await executionsOf(calls.get('acme') as Call<Body>);
    expect(statusesOf(acme)).toEqual({ 'acme-kept': 'completed', 'acme-live': 'completed', 'acme-waiting': 'paused' });
    const globex = calls.get('globex') as Call<Body>;
    const [huge, big, texts] = await executionsOf(globex);
    expect((await globex('GET', `/executions/${texts?.execution_id}`)).state).toMatchObject({
      text: 'line\nbreak\ttab \u2028 \u0007 "quoted" \\ \ud83d\ude00 \u00e9 </script> 1e21',
      '2': [1e21, 0, 1.5e-7, 0.1, null, true, { '': {} }],
      '10': 1,
    });
    expect((await globex('GET', `/executions/${big?.execution_id}`)).state).toMatchObject({ text: 'z'.repeat(7_000) });
    expect((await globex('GET', `/executions/${huge?.execution_id}`)).state).toMatchObject({ text: 'y'.repeat(70_000) });
    expect(errors).toEqual([]);
  });

  it('exports every chain, with what retention removed', async () => {
    const store = await ENGINES[engine]('schema-13-interrupted', { nowMs: () => OPENED_MS });
    onTestFinished(() => store.close());
    for (const tenantId of TENANTS) {
      const request = { fromBlock: 1, atMs: OPENED_MS, signal: new AbortController().signal };
      const report = await checkExport(linesOf(store.audit.export(tenantId, request)), { key: HMAC_KEY, head: null });
      expect(report).toMatchObject({ fault: null, signed: true, removed: tenantId === 'acme' ? 3 : 0 });
    }
  });

  it('names the agents that acted, and for whom', async () => {
    const { operatorOf } = await serve(engine);
    /** Newest first. */
    const trail = async (tenantId: string, actor: string) => {
      const call = await operatorOf(tenantId);
      const { items, total } = await call('GET', `/audit?actor_id=${encodeURIComponent(actor)}&limit=200`);
      expect(total).toBe(items.length);
      return items.map(({ event_type, actor_id, on_behalf_of = 'itself' }) => `${event_type} by ${actor_id} for ${on_behalf_of}`);
    };
    const started = ['interrupt_raised', 'node_started', 'workflow_started'];
    const decided = ['node_scheduled', 'node_completed', 'approval_received'];
    const acts = (types: readonly string[], actor: string, person: string) =>
      types.map((type) => `${type} by ${actor} for ${person}`);
    const starts = acts(started, 'agent:planner', 'itself');
    const decisions = acts(decided, 'agent:planner', 'jane');
    expect(await trail('default', 'agent:planner')).toEqual([...starts, ...decisions, ...starts]);
    const ofOperator = acts(['workflow_completed', 'node_completed', 'approval_received'], 'operator-1', 'jane');
    expect(await trail('default', 'jane')).toEqual([...ofOperator, ...decisions]);
    expect(await trail('acme', 'wile')).toEqual(acts(decided, 'agent:buyer', 'wile'));
  });

  it('has an audit chain without a fault', async () => {
    const store = await ENGINES[engine]('schema-13-interrupted', { nowMs: () => OPENED_MS });
    onTestFinished(() => store.close());
    expect(await store.verifyAudit()).toMatchObject({
      blocks: { sqlite: 248, postgres: 249 }[engine],
      fault: null,
      unsigned: null,
    });
  });

  it.each(Object.entries(DAMAGES))('reports %s', async (_what, [statement, reason, label]) => {
    expect(await faultAfter(engine, statement)).toEqual({ reason, label });
  });
});
