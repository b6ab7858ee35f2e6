import { describe, expect, it } from 'vitest';
import { type Api, api, ECHO, ECHO_TOOLS, REVIEW } from '../api/support/api.ts';
import { OPERATOR, updateTenant } from '../api/support/tenants.ts';
import { eventually } from '../support/runtimes.ts';

const DAY_MS = 86_400_000;

async function keepDays(it: Api, days: number | null): Promise<void> {
  const limits = days === null ? null : { retention_days: days };
  expect((await updateTenant(it, 'default', { limits })).status).toBe(200);
}

async function isGone(it: Api, id: string): Promise<boolean> {
  return (await it.get(`/executions/${id}`)).status === 404;
}

async function ended(it: Api): Promise<string> {
  const id = await it.started(ECHO);
  await it.settled(id);
  return id;
}

describe('retention', () => {
  it('deletes ended executions once they are old enough, and keeps live ones', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    await keepDays(it, 3);
    const id = await ended(it);
    const alive = await it.started(REVIEW);
    it.clock.advance(3 * DAY_MS - 1);
    expect(await isGone(it, id)).toBe(false);
    it.clock.advance(1);
    await eventually(() => isGone(it, id));
    expect(await isGone(it, alive)).toBe(false);
    const { items } = (await it.get('/audit?event_type=executions_removed')).body as unknown as { items: object[] };
    expect(items).toEqual([
      expect.objectContaining({
        actor_id: it.runtime.id,
        actor_type: 'system',
        raw_event: expect.objectContaining({ count: 1, reason: 'retention', executions: [{ id, last_seq: expect.any(Number) }] }),
      }),
    ]);
    expect((await it.get('/audit/verify', OPERATOR)).body).toMatchObject({ ok: true, fault: null });
    expect(it.errors).toEqual([]);
  });

  it('runs again as further executions become old enough', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    await keepDays(it, 2);
    const first = await ended(it);
    it.clock.advance(1.5 * DAY_MS);
    const second = await ended(it);
    it.clock.advance(0.5 * DAY_MS);
    await eventually(() => isGone(it, first));
    expect(await isGone(it, second)).toBe(false);
    await eventually(() => {
      it.clock.advance(DAY_MS / 4);
      return isGone(it, second);
    });
  });

  it('starts when a tenant sets retention_days, and stops when it is removed', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    const id = await ended(it);
    it.clock.advance(30 * DAY_MS);
    expect(await isGone(it, id)).toBe(false);
    await keepDays(it, 7);
    await eventually(() => isGone(it, id));
    await keepDays(it, null);
    const later = await ended(it);
    it.clock.advance(30 * DAY_MS);
    await it.post('/tokens', { role: 'viewer' }, OPERATOR);
    expect(await isGone(it, later)).toBe(false);
  });

  it('does not delete executions of other tenants', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    const id = await ended(it);
    it.clock.advance(30 * DAY_MS);
    expect((await it.post('/tenants', { id: 'acme', name: 'Acme', limits: { retention_days: 1 } }, OPERATOR)).status).toBe(201);
    it.clock.advance(5 * DAY_MS);
    expect(await isGone(it, id)).toBe(false);
  });
});
