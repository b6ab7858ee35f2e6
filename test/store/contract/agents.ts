import { describe, expect, it } from 'vitest';
import type { AgentWrite } from '../../../store/port/resources/agents.ts';
import type { Store } from '../../../store/port/store.ts';
import { Random } from '../../support/random.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, event, startExecution } from '../writes.ts';

function agent(id: string, change: Partial<AgentWrite['agent']> = {}): AgentWrite['agent'] {
  return {
    id,
    uuid: `uuid of ${id}`,
    name: `Agent ${id}`,
    status: 'registered',
    statusSinceMs: AT_MS,
    card: JSON.stringify({ id }),
    version: 1,
    registeredAtMs: AT_MS,
    updatedAtMs: AT_MS,
    ...change,
  };
}

interface Change {
  readonly agent?: Partial<AgentWrite['agent']>;
  readonly traits?: readonly string[];
  readonly type?: string;
  readonly context?: Parameters<typeof context>[0];
}

function put(store: Store, id: string, change: Change = {}): Promise<boolean> {
  const { traits = [], type = 'agent_registered' } = change;
  const data = JSON.stringify({ agent_id: id });
  return store.agents.put({ agent: agent(id, change.agent), traits, event: { type, data } }, context(change.context));
}

async function ids(store: Store, filter: Partial<Parameters<Store['agents']['list']>[1]> = {}, tenantId = 'default') {
  const { agents: rows } = await store.agents.list(tenantId, { traits: [], limit: 10, offset: 0, ...filter });
  return rows.map((row) => row.id);
}

export function agentContract(database: () => TestDatabase): void {
  describe('agents', () => {
    it('are found by id or uuid; an id takes precedence', async () => {
      const store = await database().open();
      await put(store, 'a');
      await put(store, 'uuid of a');
      expect(await store.agents.get('default', 'a')).toEqual({ ...agent('a'), lastHeartbeatAtMs: null });
      expect(await store.agents.get('default', 'uuid of a')).toMatchObject({ id: 'uuid of a' });
      expect(await store.agents.get('default', 'uuid of uuid of a')).toMatchObject({ id: 'uuid of a' });
      expect(await store.agents.get('default', 'b')).toBeNull();
    });

    it('are found by traits of any length', async () => {
      const store = await database().open();
      // Letters that are hard to compress.
      const random = new Random(3);
      const long = Array.from({ length: 5_000 }, () => String.fromCharCode(0x4e00 + random.between(0, 20_000))).join('');
      await put(store, 'a', { traits: [`skill:${long}`] });
      await put(store, 'b', { traits: [`skill:${long}!`] });
      expect(await ids(store, { traits: [`skill:${long}`] })).toEqual(['a']);
    });

    it('are visible to their tenant only', async () => {
      const store = await database().open();
      await put(store, 'a', { context: { tenantId: 'acme' }, traits: ['skill:x'] });
      expect(await store.agents.get('default', 'a')).toBeNull();
      expect(await store.agents.get('default', 'uuid of a')).toBeNull();
      expect(await ids(store)).toEqual([]);
      expect(await store.agents.heartbeat('default', 'a', AT_MS)).toBe(false);
      expect(await store.agents.trace('default', { id: 'a', actorId: 'agent:a' }, 10)).toEqual([]);
      expect(await put(store, 'a')).toBe(true);
      expect(await ids(store, { traits: ['skill:x'] })).toEqual([]);
      expect(await ids(store, { traits: ['skill:x'] }, 'acme')).toEqual(['a']);
    });

    it('are listed in pages, newest registration first, regardless of later changes', async () => {
      const store = await database().open();
      for (const id of ['b', 'a', 'c']) await put(store, id);
      await put(store, 'b', { agent: { version: 2 } });
      expect(await ids(store)).toEqual(['c', 'a', 'b']);
      expect(await ids(store, { limit: 1, offset: 1 })).toEqual(['a']);
      expect(await ids(store, { offset: 3 })).toEqual([]);
    });

    it('are found by status and by several traits together', async () => {
      const store = await database().open();
      await put(store, 'a', { traits: ['skill:x', 'skill:y', 'protocol:a2a'] });
      await put(store, 'b', { traits: ['skill:x'], agent: { status: 'active' } });
      await put(store, 'c', { traits: ['skill:y', 'skill:y'] });
      expect(await ids(store, { traits: ['skill:x'] })).toEqual(['b', 'a']);
      expect(await ids(store, { traits: ['skill:x', 'skill:y'] })).toEqual(['a']);
      expect(await ids(store, { traits: ['skill:x'], status: 'active' })).toEqual(['b']);
      expect(await ids(store, { traits: ['skill:X'] })).toEqual([]);
      expect(await ids(store, { status: 'paused' })).toEqual([]);
      await put(store, 'a', { traits: ['skill:z'], agent: { version: 2 } });
      expect(await ids(store, { traits: ['skill:x'] })).toEqual(['b']);
      expect(await ids(store, { traits: ['skill:z'] })).toEqual(['a']);
    });

    it('change only from the expected version; a rejected change is not logged', async () => {
      const store = await database().open();
      expect(await put(store, 'a')).toBe(true);
      const before = await store.verifyAudit();
      expect(await put(store, 'a', { agent: { name: 'again' } })).toBe(false);
      expect(await put(store, 'a', { agent: { version: 3 }, traits: ['skill:x'] })).toBe(false);
      expect(await put(store, 'b', { agent: { version: 2 } })).toBe(false);
      expect(await store.verifyAudit()).toEqual(before);
      expect(await ids(store, { traits: ['skill:x'] })).toEqual([]);
      expect(await put(store, 'a', { agent: { version: 2, status: 'active', statusSinceMs: AT_MS + 5 } })).toBe(true);
      expect(await store.agents.get('default', 'a')).toMatchObject({ version: 2, status: 'active', statusSinceMs: AT_MS + 5 });
      expect((await store.verifyAudit()).fault).toBeNull();
    });

    it('keep their latest heartbeat, which does not count as a change', async () => {
      const store = await database().open();
      await put(store, 'a');
      const before = await store.verifyAudit();
      expect(await store.agents.heartbeat('default', 'a', AT_MS + 9)).toBe(true);
      expect(await store.agents.heartbeat('default', 'a', AT_MS + 5)).toBe(true);
      expect(await store.agents.heartbeat('default', 'b', AT_MS)).toBe(false);
      expect(await store.verifyAudit()).toEqual(before);
      await put(store, 'a', { agent: { version: 2 } });
      expect(await store.agents.get('default', 'a')).toMatchObject({ version: 2, lastHeartbeatAtMs: AT_MS + 9 });
    });

    it('have a trace of events about them and by them, newest first', async () => {
      const store = await database().open();
      const self = { actorId: 'agent:a', actorType: 'agent' } as const;
      await put(store, 'a');
      await put(store, 'b', { context: { ...self, atMs: AT_MS + 1 } });
      await put(store, 'a', { type: 'agent_updated', agent: { version: 2 }, context: { ...self, atMs: AT_MS + 2 } });
      const events = [
        event(1, { ...self, atMs: AT_MS + 3 }),
        event(2, { atMs: AT_MS + 4 }),
        event(3, { ...self, actorId: 'agent:b', atMs: AT_MS + 5 }),
      ];
      await store.commit(batch(startExecution('exec_1', { events })));
      const trace = (limit: number) => store.agents.trace('default', { id: 'a', actorId: 'agent:a' }, limit);
      expect(await trace(10)).toEqual([
        { atMs: AT_MS + 3, direction: 'out', type: 'node_completed', actorId: 'agent:a', executionId: 'exec_1', nodeId: 'a' },
        { atMs: AT_MS + 2, direction: 'in', type: 'agent_updated', actorId: 'agent:a', executionId: null, nodeId: null },
        { atMs: AT_MS + 1, direction: 'out', type: 'agent_registered', actorId: 'agent:a', executionId: null, nodeId: null },
        { atMs: AT_MS, direction: 'in', type: 'agent_registered', actorId: 'root', executionId: null, nodeId: null },
      ]);
      expect((await trace(2)).map((row) => row.atMs)).toEqual([AT_MS + 3, AT_MS + 2]);
    });

    it('remember what calls of them were like, the last ones most, for their tenant', async () => {
      const store = await database().open();
      const call = (uri: string, failed: boolean, durationMs: number, tenantId = 'default') =>
        store.agents.recordOutcome(tenantId, { uri, failed, durationMs, atMs: AT_MS });
      await call('https://a.example.com', false, 100);
      await call('https://a.example.com', true, 300);
      await call('https://b.example.com', false, 5, 'acme');
      const uris = ['https://a.example.com', 'https://b.example.com', 'https://c.example.com'];
      const [row, ...others] = await store.agents.outcomes('default', uris);
      expect(row).toEqual({ uri: 'https://a.example.com', calls: 1.98, failures: 1, totalMs: 398 });
      expect(others).toEqual([]);
      for (let i = 0; i < 500; i += 1) await call('https://a.example.com', false, 100);
      const [later] = await store.agents.outcomes('default', uris);
      expect(later?.calls).toBeCloseTo(50, 1);
      expect(later?.failures).toBeLessThan(0.01);
    });
  });
}
