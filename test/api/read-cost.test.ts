import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { planOf, type Read, type ReadCost, readCounter, readsDuring } from '../support/counted-reads.ts';
import { type FullServer, fullServer, send } from './support/full-server.ts';
import { nameOf, type Route, registeredRoutes } from './support/routes.ts';
import { worstRequests } from './support/worst-requests.ts';

/**
 * Steps of SQLite's virtual machine that one statement may take before others go on: ten milliseconds or so. A row that is visited takes five at
 * least, one that is returned ten to thirty.
 */
const MOST_STEPS = 400_000;
/** Rows that a statement may visit without an index: those of lists that it is given. */
const MOST_SCANNED = 1_000;
/** Of one statement, with different values. */
const MOST_READS = 60;

/** What a viewer may ask: what is read by GET, and what MCP and A2A list. */
const isRead = ({ method, url }: Route): boolean => method === 'GET' || url === '/mcp' || url === '/a2a';

/** The statements with which the routes read the database, each with the values that it was given and the route that was the first to use it. */
async function readsOf({ server, subjects }: FullServer) {
  const token = await server.token('viewer');
  const statements = new Map<string, { readonly route: string; readonly reads: Map<string, Read> }>();
  for (const route of (await registeredRoutes(server)).filter(isRead))
    for (const request of worstRequests(route, subjects))
      for (const read of await readsDuring(() => send(server, route.method, token, request))) {
        const { reads } = statements.get(read.sql) ?? { reads: new Map<string, Read>() };
        if (reads.size === 0) statements.set(read.sql, { route: nameOf(route), reads });
        if (reads.size < MOST_READS) reads.set(JSON.stringify(read.bound), read);
      }
  return statements;
}

describe('a read that a viewer causes', () => {
  it('visits a bounded number of rows before others go on, on a full database', { timeout: 600_000 }, async () => {
    const full = await fullServer();
    const statements = await readsOf(full);
    const counter = await readCounter(full.server.path);
    const db = new Database(full.server.path, { readonly: true });
    const tooMany: (ReadCost & { readonly route: string; readonly sql: string })[] = [];
    for (const [sql, { route, reads }] of statements) {
      // What was counted holds for the server's build of SQLite as far as it has the same plan.
      expect(counter.plan(sql)).toEqual(planOf(db, sql));
      for (const read of reads.values()) {
        const cost = counter.cost(read);
        if (cost.steps > MOST_STEPS || cost.scanned > MOST_SCANNED) tooMany.push({ route, sql, ...cost });
      }
    }
    db.close();
    counter.close();
    expect(statements.size).toBeGreaterThan(50);
    expect(tooMany).toEqual([]);
  });

  it('counts approvals a slice at a time, and each of them once', { timeout: 120_000 }, async () => {
    const { server, token } = await fullServer();
    const db = new Database(server.path, { readonly: true });
    const pending = db.prepare('SELECT count(*) FROM approvals WHERE decided_at_ms IS NULL').pluck().get();
    db.close();
    for (const query of ['', '?workflow_id=review']) {
      const reply = await server.app.inject({ url: `/approvals/counts${query}`, headers: { authorization: `Bearer ${token}` } });
      expect(reply.json()).toEqual({ pending });
    }
  });
});
