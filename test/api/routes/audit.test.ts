import { describe, expect, it } from 'vitest';
import { checkExport } from '../../../store/audit/check-export.ts';
import { lines } from '../../store/contract/audit-log.ts';
import { editLog } from '../../support/edit-log.ts';
import { type Api, api, ECHO, ECHO_TOOLS, EXTERNAL, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { READERS } from '../support/roles.ts';
import { asTenant, createTenant, OPERATOR } from '../support/tenants.ts';

interface Item {
  readonly event_type: string;
  readonly execution_id: string | null;
  readonly [field: string]: unknown;
}
interface AuditBody {
  readonly items: readonly Item[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly next_cursor: string | null;
}

async function audit(it: Api, query = '', options = {}): Promise<AuditBody> {
  const { status, body } = await it.get(`/audit${query}`, options);
  expect(status).toBe(200);
  return body as unknown as AuditBody;
}

function types({ items }: AuditBody): readonly string[] {
  return items.map((item) => item.event_type);
}

describe('GET /audit', () => {
  it('lists who did what in which request, newest first', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    await it.post(
      `/executions/${id}/approve`,
      { decision: 'approved', user_id: 'ann' },
      { headers: { 'x-request-id': 'req-7' } },
    );
    await it.settled(id);
    const all = await audit(it, `?execution_id=${id}`);
    expect(types(all)).toEqual([
      'workflow_completed',
      'node_completed',
      'approval_received',
      'interrupt_raised',
      'node_started',
      'workflow_started',
    ]);
    expect(all).toMatchObject({ total: 6, limit: 50, offset: 0, next_cursor: null });
    expect(all.items[2]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      event_id: all.items[2]?.id,
      execution_id: id,
      sequence: 4,
      event_type: 'approval_received',
      actor_id: 'developer',
      actor_type: 'human',
      actor_token_id: expect.any(String),
      actor_role: 'developer',
      on_behalf_of: 'ann',
      created_at: '2026-03-12T10:00:00.000Z',
      raw_event: expect.objectContaining({ type: 'approval_received', node_id: 'review', decision: 'approved', user_id: 'ann' }),
      tenant_id: 'default',
      redacted: false,
      http_request_id: 'req-7',
      http_method: 'POST',
      http_path: `/executions/${id}/approve`,
      ip_address: '127.0.0.1',
    });
    const { events } = (await it.get(`/executions/${id}/events`)).body;
    expect(all.items.map((item) => item.id).reverse()).toEqual(events.map((event) => event.id));
  });

  it('contains every change of the control plane, without secrets', async () => {
    const it = await api();
    const { token, id } = (await it.post('/tokens', { role: 'viewer', name: 'billing' }, OPERATOR)).body;
    await it.call('DELETE', `/tokens/${id}`, OPERATOR);
    await it.post('/workflows', { ir: EXTERNAL });
    await createTenant(it, 'acme');
    await it.post('/work-items/claim', { worker_id: 'w1', queue_types: ['python_tool'] });
    await it.post('/work-items/claim', { worker_id: 'w1', queue_types: ['python_tool'] });
    const all = await audit(it, '?limit=100');
    for (const type of ['token_created', 'token_revoked', 'workflow_registered', 'tenant_created', 'runtime_started'])
      expect(types(all)).toContain(type);
    expect(types(all).filter((type) => type === 'worker_registered')).toHaveLength(1);
    expect(all.items.find((item) => item.event_type === 'worker_registered')).toMatchObject({
      execution_id: null,
      actor_id: 'developer',
      raw_event: { type: 'worker_registered', worker_id: 'w1', queue_types: ['python_tool'] },
      http_path: '/work-items/claim',
    });
    expect(all.total).toBe(all.items.length);
    const raw = JSON.stringify(all);
    expect(raw).toContain('billing');
    expect(raw).not.toContain(token.slice(3));
  });

  it('finds by actor, type in either spelling, and time', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO);
    await it.settled(id);
    it.clock.advance(60_000);
    await it.post('/tokens', { role: 'viewer' }, OPERATOR);
    expect(types(await audit(it, '?event_type=NodeCompleted'))).toEqual(['node_completed']);
    expect(types(await audit(it, `?event_type=node_completed&execution_id=${id}`))).toEqual(['node_completed']);
    expect(types(await audit(it, '?actor_id=operator'))).toEqual(['token_created']);
    expect(types(await audit(it, '?actor_id=developer'))).toEqual(['node_scheduled', 'workflow_started', 'workflow_registered']);
    expect(types(await audit(it, '?from=2026-03-12T10:01:00Z&actor_id=operator'))).toEqual(['token_created']);
    expect((await audit(it, '?from=2026-03-12T11:01:00%2B01:00')).total).toBe(2);
    expect((await audit(it, '?to=2026-03-12')).total).toBe(0);
    const { total } = await audit(it);
    expect((await audit(it, '?from=2026-03-12&to=2026-03-12T10:01:00.000Z')).total).toBe(total - 2);
  });

  it.each([
    ['event_type=nothing_known', 0],
    ['actor_id=unknown', 0],
    [`execution_id=${UNKNOWN_EXECUTION}`, 0],
    ['execution_id=no-id', 0],
    ["execution_id=' OR 1=1", 0],
  ])('finds nothing for %s', async (query, total) => {
    const it = await api();
    await it.started(REVIEW);
    expect(await audit(it, `?${query}`)).toMatchObject({ items: [], total, next_cursor: null });
  });

  it('accepts execution ids in every form', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    expect((await audit(it, `?execution_id=${id.slice(5)}`)).total).toBe(3);
    expect((await audit(it, `?execution_id=${id.toUpperCase().replace('EXEC_', 'exec_')}`)).total).toBe(3);
  });

  it('is read in pages, by offset or by cursor', async () => {
    const it = await api();
    for (let index = 0; index < 3; index += 1) await it.started(REVIEW);
    const whole = await audit(it, '?limit=1000');
    expect(whole.limit).toBe(200);
    const byOffset: Item[] = [];
    for (let offset = 0; offset < whole.total; offset += 5)
      byOffset.push(...(await audit(it, `?limit=5&offset=${offset}`)).items);
    expect(byOffset).toEqual(whole.items);
    const byCursor: Item[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: AuditBody = await audit(it, `?limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.total).toBe(whole.total);
      byCursor.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(byCursor).toEqual(whole.items);
    expect(await audit(it, '?offset=5000')).toMatchObject({ items: [], total: whole.total, offset: 5000 });
  });

  it.each([
    ['limit=0', 'limit must be >= 1'],
    ['limit=x', 'limit must be an integer'],
    ['offset=-1', 'offset must be >= 0'],
    ['to=2026-02-30', 'to must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "2026-02-30"'],
    ['from=yesterday', 'from must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "yesterday"'],
    ['to=2026-13-45', 'to must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "2026-13-45"'],
    ['to=5', 'to must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "5"'],
    ['cursor=nonsense', 'cursor is not the next_cursor of an earlier page of this query'],
    ['cursor=W10', 'cursor is not the next_cursor of an earlier page of this query'],
    ['cursor=WzEsbnVsbCwxXQ&offset=1', 'give either cursor or offset, not both'],
    [`cursor=WzEsbnVsbCwxXQ&execution_id=${UNKNOWN_EXECUTION}`, 'cursor is not the next_cursor of an earlier page of this query'],
    ['actor_id=', 'actor_id must not be empty'],
  ])('refuses %s', async (query, error) => {
    const it = await api();
    const { status, body } = await it.get(`/audit?${query}`);
    expect([status, body.error, body.code]).toEqual([400, `bad request: ${error}`, 'bad_request']);
  });

  it('is open to every role that reads, for entries of its tenant', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const id = await it.started(REVIEW);
    for (const role of READERS) {
      expect((await audit(it, `?execution_id=${id}`, { as: role })).total).toBe(3);
      const theirs = await audit(it, '?limit=200', await asTenant(it, 'acme', role));
      expect(new Set(theirs.items.map((item) => item.tenant_id))).toEqual(new Set(['acme']));
      expect(new Set(types(theirs))).toEqual(new Set(['token_created']));
      expect((await audit(it, `?execution_id=${id}`, await asTenant(it, 'acme', role))).total).toBe(0);
    }
    expect((await it.get('/audit', { as: null })).status).toBe(401);
  });
});

describe('GET /audit/verify', () => {
  it('reports that the chain is sound, and up to where', async () => {
    const it = await api();
    await it.started(REVIEW);
    const { status, body } = await it.get('/audit/verify', OPERATOR);
    expect([status, body]).toEqual([200, { ok: true, blocks: expect.any(Number), head: expect.any(String), fault: null }]);
    const [one, two] = await Promise.all([it.get('/audit/verify', OPERATOR), it.get('/audit/verify', OPERATOR)]);
    expect(one.body).toEqual(two.body);
    for (const role of ['developer', 'reviewer', 'viewer'] as const)
      expect((await it.get('/audit/verify', { as: role })).status).toBe(403);
  });

  it('names the first bad block, and only to its tenant the execution', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const id = await it.started(REVIEW);
    editLog(it.path, id, (event) => (event.seq === 1 ? { ...event, actorId: 'mallory' } : event));
    const mine = (await it.get('/audit/verify', OPERATOR)).body as unknown as { fault: { block: number } };
    expect(mine).toMatchObject({ ok: false, fault: { reason: 'stream_digest', tenant_id: 'default', execution_id: id } });
    const theirs = await it.get('/audit/verify', await asTenant(it, 'acme'));
    expect(theirs.body).toMatchObject({ ok: false, fault: { block: mine.fault.block, tenant_id: null, execution_id: null } });
  });
});

describe('GET /audit/export', () => {
  it('contains the log of the tenant with its proofs', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const id = await it.started(REVIEW);
    const { headers } = await asTenant(it, 'acme');
    const theirs = await it.app.inject({ url: '/audit/export', headers: headers ?? {} });
    expect([theirs.statusCode, theirs.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    expect(theirs.payload).not.toContain(id);
    const { head } = (await it.get('/audit/verify', OPERATOR)).body as unknown as { head: string };
    const report = await checkExport(lines(theirs.payload.trimEnd().split('\n')), { key: null, head });
    expect(report).toMatchObject({ tenantId: 'acme', events: 1, fault: null });
  });

  it('is for operators, from a block that exists', async () => {
    const it = await api();
    for (const role of ['developer', 'reviewer', 'viewer'] as const)
      expect((await it.get('/audit/export', { as: role })).status).toBe(403);
    expect((await it.get('/audit/export', { as: null })).status).toBe(401);
    const { status, body } = await it.get('/audit/export?from_block=900', OPERATOR);
    expect([status, body.error]).toEqual([404, 'not found: there is no block 899 in the audit chain yet']);
    expect((await it.get('/audit/export?from_block=0', OPERATOR)).status).toBe(400);
  });
});
