import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../machines/json.ts';
import type { AgentRow, AgentStatus, AgentStore, AgentTraceRow } from '../../../store/port/resources/agents.ts';
import type { ActionContext } from '../../../store/port/writes.ts';
import type { Outbound } from '../../executors/outbound.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { type AgentCard, readCard, trait, traitsOf } from './card.ts';
import { findCard, slug } from './discovery.ts';
import { allowedTransitions, canTransition, isStale, statusAfterReregistration } from './status.ts';

export interface AgentView {
  readonly uuid: string;
  readonly card: AgentCard;
  readonly status: AgentStatus;
  /** Active, and silent for longer than `STALE_AFTER_MS`. */
  readonly stale: boolean;
  readonly registeredAtMs: number;
  readonly updatedAtMs: number;
  /** Null = it never sent one. */
  readonly lastHeartbeatAtMs: number | null;
}

export interface AgentQuery {
  readonly status?: AgentStatus;
  /** By name or id; all of them. */
  readonly skills?: readonly string[];
  readonly protocol?: string;
  readonly trustDomain?: string;
}

/** For the whole search: every place asked, redirects included. */
const DISCOVERY_TIMEOUT_MS = 10_000;
/** Rows read at a time: cards may be long. */
const PAGE_SIZE = 50;
/** Changes decided again because somebody else's came first. */
const MAX_ATTEMPTS = 10;

/** The log names an agent's own actions by this actor; tokens and workers of agents are named so. */
export function actorOf(agentId: string): string {
  return `agent:${agentId}`;
}

/**
 * The agents of each tenant: their cards, their status, whether they are alive. What names an agent takes its id or its uuid, and rejects with
 * `RuntimeError` `not_found` when the tenant has none of that name.
 */
export class Agents {
  readonly #store: AgentStore;
  readonly #outbound: Outbound;
  readonly #nowMs: () => number;

  constructor(deps: { readonly store: AgentStore; readonly outbound: Outbound; readonly nowMs: () => number }) {
    this.#store = deps.store;
    this.#outbound = deps.outbound;
    this.#nowMs = deps.nowMs;
  }

  /** A new agent, or a new card for the one of that id. Rejects with `bad_request` for a card that is none. */
  register(card: JsonObject, context: ActionContext): Promise<{ readonly agent: AgentView; readonly created: boolean }> {
    return this.#put(readCard(card), context, (created) => ({ type: created ? 'agent_registered' : 'agent_updated' }));
  }

  /**
   * Fetches the card of the agent behind a URL and registers it. Rejects with `bad_request` for a URL that is none, with
   * `remote_failed` when there is no card to be had, or one that does not do.
   */
  async discover(url: string, context: ActionContext): Promise<AgentView> {
    const found = await findCard(this.#outbound, url, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS));
    let card: AgentCard;
    try {
      card = readCard(found.card);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      throw new RuntimeError('remote_failed', `the agent card at ${found.url} does not do: ${error.message}`, { cause: error });
    }
    if (!found.hasOwnId) card = await this.#withFreeId(card, context.tenantId);
    return (await this.#put(card, context, () => ({ type: 'agent_discovered', url: found.url.replace(/\?.*/, '') }))).agent;
  }

  async get(tenantId: string, idOrUuid: string): Promise<AgentView> {
    return this.#viewOf(await this.#row(tenantId, idOrUuid));
  }

  /** The one registered last comes first; read page by page. */
  async *list(
    tenantId: string,
    query: AgentQuery,
    page: { readonly limit: number; readonly offset: number },
  ): AsyncGenerator<AgentView, void, undefined> {
    const traits = [
      ...(query.skills ?? []).map((skill) => trait('skill', skill)),
      ...(query.protocol === undefined ? [] : [trait('protocol', query.protocol)]),
      ...(query.trustDomain === undefined ? [] : [trait('trust_domain', query.trustDomain)]),
    ];
    for (let read = 0; read < page.limit; read += PAGE_SIZE) {
      const rows = await this.#store.list(tenantId, {
        ...(query.status === undefined ? {} : { status: query.status }),
        traits,
        limit: Math.min(PAGE_SIZE, page.limit - read),
        offset: page.offset + read,
      });
      for (const row of rows) yield this.#viewOf(row);
      if (rows.length < PAGE_SIZE) return;
    }
  }

  /** Idempotent. Rejects with `conflict` for a step that the agent's status does not allow. */
  async setStatus(status: AgentStatus, idOrUuid: string, context: ActionContext): Promise<AgentView> {
    return this.#retryOnConflict(async () => {
      const row = await this.#row(context.tenantId, idOrUuid);
      if (row.status === status) return this.#viewOf(row);
      if (!canTransition(row.status, status)) {
        const why = `agent ${row.id} is ${row.status} and cannot become ${status}: ${allowedTransitions(row.status)}`;
        throw new RuntimeError('conflict', why);
      }
      const changed = { ...row, status, statusSinceMs: context.atMs, version: row.version + 1, updatedAtMs: context.atMs };
      return this.#write(changed, `agent_${status === 'active' ? 'activated' : status}`, { from: row.status }, context);
    });
  }

  /** A sign of life, in any status; answers the agent's id. */
  async heartbeat(tenantId: string, idOrUuid: string): Promise<string> {
    const { id } = await this.#row(tenantId, idOrUuid);
    await this.#store.heartbeat(tenantId, id, this.#nowMs());
    return id;
  }

  /** What is on record about the agent, newest first. */
  async trace(
    tenantId: string,
    idOrUuid: string,
    limit: number,
  ): Promise<{ readonly agentId: string; readonly rows: readonly AgentTraceRow[] }> {
    const { id } = await this.#row(tenantId, idOrUuid);
    return { agentId: id, rows: await this.#store.trace(tenantId, { id, actorId: actorOf(id) }, limit) };
  }

  async #row(tenantId: string, idOrUuid: string): Promise<AgentRow> {
    const row = await this.#store.get(tenantId, idOrUuid);
    if (row === null) throw new RuntimeError('not_found', `agent ${truncated(idOrUuid)}`);
    return row;
  }

  /** An id made of a name must not take over another agent that happens to have the same name. */
  async #withFreeId(card: AgentCard, tenantId: string): Promise<AgentCard> {
    const holder = await this.#store.get(tenantId, card.id);
    if (holder === null || (JSON.parse(holder.card) as AgentCard).uri === card.uri) return card;
    return { ...card, id: slug(`${card.id}-${new URL(card.uri).host}`) };
  }

  #put(
    card: AgentCard,
    context: ActionContext,
    eventOf: (created: boolean) => { readonly type: string; readonly url?: string },
  ): Promise<{ readonly agent: AgentView; readonly created: boolean }> {
    return this.#retryOnConflict(async () => {
      const stored = await this.#store.get(context.tenantId, card.id);
      const known = stored !== null && stored.id === card.id ? stored : null;
      const status = known === null ? 'registered' : statusAfterReregistration(known.status);
      const { type, ...data } = eventOf(known === null);
      const row = {
        id: card.id,
        uuid: known?.uuid ?? randomUUID(),
        name: card.name,
        status,
        statusSinceMs: known !== null && known.status === status ? known.statusSinceMs : context.atMs,
        card: JSON.stringify(card),
        version: (known?.version ?? 0) + 1,
        registeredAtMs: known?.registeredAtMs ?? context.atMs,
        updatedAtMs: context.atMs,
        lastHeartbeatAtMs: known?.lastHeartbeatAtMs ?? null,
      } as const;
      const details = { name: card.name, uri: card.uri, version: card.version, ...data };
      const agent = await this.#write(row, type, details, context);
      return agent === null ? null : { agent, created: known === null };
    });
  }

  /** Null when the agent changed meanwhile. */
  async #write(row: AgentRow, type: string, details: JsonObject, context: ActionContext): Promise<AgentView | null> {
    const { lastHeartbeatAtMs: _, ...agent } = row;
    const data = JSON.stringify({ agent_id: row.id, uuid: row.uuid, status: row.status, ...details });
    const card = JSON.parse(row.card) as AgentCard;
    const written = await this.#store.put({ agent, traits: traitsOf(card), event: { type, data } }, context);
    return written ? this.#viewOf(row) : null;
  }

  /** Decides again, on what is there now, when somebody else changed the agent in between. */
  async #retryOnConflict<T>(attempt: () => Promise<T | null>): Promise<T> {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
      const done = await attempt();
      if (done !== null) return done;
    }
    throw new RuntimeError('conflict', 'the agent keeps changing: try again');
  }

  #viewOf(row: AgentRow): AgentView {
    const { uuid, status, registeredAtMs, updatedAtMs, lastHeartbeatAtMs } = row;
    const card = JSON.parse(row.card) as AgentCard;
    return { uuid, card, status, stale: isStale(row, this.#nowMs()), registeredAtMs, updatedAtMs, lastHeartbeatAtMs };
  }
}
