import { outlineEntry } from '../log/decode.ts';
import type { LogEntry } from '../log/entry.ts';
import { nextTurn } from '../loop-turns.ts';
import type { ActionContext } from '../port/control.ts';
import {
  type AgentFilter,
  type AgentOutcome,
  type AgentOutcomesRow,
  type AgentPage,
  type AgentRow,
  type AgentStore,
  type AgentTraceRow,
  type AgentWrite,
  type TraceRow,
  traceOf,
} from '../port/resources/agents.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/agents.ts';
import { run, type Script } from './script.ts';

/** After every registration: the largest number of the column in PostgreSQL. */
const AFTER_ALL = 2 ** 31 - 1;
/** Agents that one statement looks at. */
const SLICE = 500;

export class Agents implements AgentStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  get(tenantId: string, idOrUuid: string): Promise<AgentRow | null> {
    return this.#db.tenant(tenantId).get(sql.AGENT_BY_ID_OR_UUID, { tenantId, key: idOrUuid });
  }

  async list(tenantId: string, { status, traits, limit, offset, before }: AgentFilter): Promise<AgentPage> {
    const db = this.#db.tenant(tenantId);
    const statement = status === undefined ? sql.AGENTS_SLICE : sql.AGENTS_SLICE_OF_STATUS;
    const values = { tenantId, status: status ?? null, traits: traits.map((trait) => this.#db.indexKey(trait)), slice: SLICE };
    const found: number[] = [];
    let next: number | null = before ?? AFTER_ALL;
    for (let left = offset; next !== null && found.length < limit; ) {
      const seen = [...(await db.all(statement, { ...values, before: next }))].sort((a, b) => b.registration - a.registration);
      const matching = seen.filter(({ matches }) => matches).map(({ registration }) => registration);
      found.push(...matching.slice(left, left + limit - found.length));
      left = Math.max(0, left - matching.length);
      next = seen.length < SLICE ? null : (seen.at(-1)?.registration ?? null);
      if (next !== null) await nextTurn(tenantId);
    }
    const rows = found.length === 0 ? [] : await db.all(sql.AGENTS_REGISTERED, { tenantId, registrations: found.map(String) });
    const agents = [...rows].sort((a, b) => b.registration - a.registration).map(({ registration: _, ...agent }) => agent);
    return { agents, next: found.length < limit ? null : (found.at(-1) ?? null) };
  }

  put(write: AgentWrite, context: ActionContext): Promise<boolean> {
    const traits = write.traits.map((trait) => this.#db.indexKey(trait));
    return this.#db.act(context, function* (seq) {
      const result = yield* putAgent({ ...write, traits }, context.tenantId, seq);
      return { event: result ? write.event : null, result };
    });
  }

  async heartbeat(tenantId: string, id: string, atMs: number): Promise<boolean> {
    return (await this.#db.runtime.run(sql.RECORD_HEARTBEAT, { tenantId, id, atMs })) > 0;
  }

  outcomes(tenantId: string, uris: readonly string[]): Promise<readonly AgentOutcomesRow[]> {
    return this.#db.tenant(tenantId).all(sql.AGENT_OUTCOMES, { tenantId, uris: uris.map((uri) => this.#db.indexKey(uri)) });
  }

  async recordOutcome(tenantId: string, { uri, failed, durationMs, atMs }: AgentOutcome): Promise<void> {
    const values = { tenantId, uri: this.#db.indexKey(uri), failures: Number(failed), durationMs, atMs };
    await this.#db.runtime.run(sql.RECORD_AGENT_OUTCOME, values);
  }

  async trace(
    tenantId: string,
    agent: { readonly id: string; readonly actorId: string },
    limit: number,
  ): Promise<readonly AgentTraceRow[]> {
    const values = { ...agent, tenantId, limit };
    const statements = this.#db.tenant(tenantId);
    const [to, controlled, actors] = await Promise.all([
      statements.all(sql.EVENTS_ABOUT_AGENT, values),
      statements.all(sql.CONTROL_EVENTS_BY_AGENT, values),
      statements.all(sql.ACTORS_OF_AGENT, values),
    ]);
    const entries = actors.map(({ actor }) => statements.all(sql.ENTRIES_BY_AGENT, { tenantId, actor, limit }));
    return traceOf({ to, controlled, done: (await Promise.all(entries)).flat().flatMap(eventsOf) }, limit);
  }
}

/** False = the stored agent does not have the previous version. */
function* putAgent({ agent, traits }: AgentWrite, tenantId: string, seq: number): Script<boolean> {
  const values = { ...agent, tenantId, seq, traits };
  if ((yield* run(agent.version === 1 ? sql.INSERT_AGENT : sql.UPDATE_AGENT, values)) === 0) return false;
  yield* run(sql.DELETE_TRAITS, values);
  yield* run(sql.INSERT_TRAITS, values);
  yield* run(sql.INSERT_AGENT_EVENT, values);
  return true;
}

/** The last one first. */
function eventsOf({ executionId, ...entry }: LogEntry & Pick<TraceRow, 'executionId'>): readonly TraceRow[] {
  const { atMs, actorId } = entry;
  return outlineEntry(entry)
    .map(({ seq, type, nodeId }) => ({ atMs, type, actorId, executionId, nodeId, seq }))
    .reverse();
}
