import { describe, expect, it } from 'vitest';
import { type Api, api, ECHO, ECHO_TOOLS } from '../api/support/api.ts';
import { OPERATOR, updateTenant } from '../api/support/tenants.ts';
import { eventually } from '../support/runtimes.ts';

const DAY_MS = 86_400_000;

async function isGone(it: Api, id: string): Promise<boolean> {
  return (await it.get(`/executions/${id}`)).status === 404;
}

async function ended(it: Api, retention_days: number | null): Promise<string> {
  const policy = retention_days === null ? {} : { data_policy: { retention_days } };
  const id = await it.started({ ...ECHO, workflow_id: `kept-${retention_days}`, ...policy });
  await it.settled(id);
  return id;
}

describe('retention_days of a data policy', () => {
  it('removes the ended executions of its workflow, up to a day late, and keeps the audit chain valid', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    const [short, long, kept] = [await ended(it, 2), await ended(it, 30), await ended(it, null)];
    it.clock.advance(2 * DAY_MS - 1);
    expect(await isGone(it, short)).toBe(false);
    await eventually(() => {
      it.clock.advance(DAY_MS / 4);
      return isGone(it, short);
    });
    expect([await isGone(it, long), await isGone(it, kept)]).toEqual([false, false]);
    const { items } = (await it.get('/audit?event_type=executions_removed')).body as unknown as { items: object[] };
    expect(items).toMatchObject([{ raw_event: { count: 1, reason: 'data_policy', executions: [{ id: short }] } }]);
    expect((await it.get('/audit/verify', OPERATOR)).body).toMatchObject({ ok: true, fault: null });
    expect(it.errors).toEqual([]);
  });

  it('does not keep what the tenant removes earlier', async () => {
    const it = await api({ background: true, tools: ECHO_TOOLS });
    expect((await updateTenant(it, 'default', { limits: { retention_days: 1 } })).status).toBe(200);
    const id = await ended(it, 30);
    it.clock.advance(DAY_MS);
    await eventually(() => isGone(it, id));
  });
});
