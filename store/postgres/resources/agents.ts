import type { ActionContext } from '../../port/control.ts';
import {
  type AgentFilter,
  type AgentRow,
  type AgentStore,
  type AgentTraceRow,
  type AgentWrite,
  type TraceRow,
  traceOf,
} from '../../port/resources/agents.ts';
import type { Connections, Queries } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import { indexKey } from '../index-key.ts';
import * as sql from '../queries/agents.ts';
import { first } from '../runtime-reads.ts';

export class PostgresAgents implements AgentStore {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  async get(tenantId: string, idOrUuid: string): Promise<AgentRow | null> {
    return first(await this.#connections.asTenant<AgentRow>(tenantId, sql.AGENT_BY_ID_OR_UUID, [tenantId, idOrUuid]));
  }

  list(tenantId: string, { status, traits, limit, offset }: AgentFilter): Promise<readonly AgentRow[]> {
    const values = [tenantId, limit, offset, traits.map(indexKey)] as const;
    return status === undefined
      ? this.#connections.asTenant<AgentRow>(tenantId, sql.AGENTS, values)
      : this.#connections.asTenant<AgentRow>(tenantId, sql.AGENTS_OF_STATUS, [...values, status]);
  }

  async put(write: AgentWrite, context: ActionContext): Promise<boolean> {
    let written = false;
    await this.#log.act(context, async (queries, seq) => {
      written = await putAgent(queries, write, context.tenantId, seq);
      return written ? write.event : null;
    });
    return written;
  }

  async heartbeat(tenantId: string, id: string, atMs: number): Promise<boolean> {
    return (await this.#connections.query(sql.AGENT_HEARTBEAT, [tenantId, id, atMs])).length === 1;
  }

  async trace(
    tenantId: string,
    agent: { readonly id: string; readonly actorId: string },
    limit: number,
  ): Promise<readonly AgentTraceRow[]> {
    const [to, controlled, done] = await Promise.all([
      this.#connections.asTenant<TraceRow>(tenantId, sql.DONE_TO_AGENT, [tenantId, agent.id, limit]),
      this.#connections.asTenant<TraceRow>(tenantId, sql.CONTROLLED_BY_AGENT, [tenantId, agent.actorId, limit]),
      this.#connections.asTenant<TraceRow>(tenantId, sql.DONE_BY_AGENT, [tenantId, agent.actorId, limit]),
    ]);
    return traceOf({ to, controlled, done }, limit);
  }
}

async function putAgent(queries: Queries, { agent, traits }: AgentWrite, tenantId: string, seq: number): Promise<boolean> {
  const { id, uuid, name, status, statusSinceMs, version, registeredAtMs, updatedAtMs, card } = agent;
  const written =
    version === 1
      ? await queries.query(sql.CREATE_AGENT, [
          tenantId,
          id,
          uuid,
          name,
          status,
          statusSinceMs,
          registeredAtMs,
          updatedAtMs,
          card,
          seq,
        ])
      : await queries.query(sql.CHANGE_AGENT, [tenantId, id, name, status, statusSinceMs, version, updatedAtMs, card]);
  if (written.length === 0) return false;
  await queries.query(sql.FORGET_TRAITS, [tenantId, id]);
  await queries.query(sql.ADD_TRAITS, [tenantId, id, traits.map(indexKey)]);
  await queries.query(sql.ADD_AGENT_EVENT, [tenantId, id, seq]);
  return true;
}
