import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../machines/json.ts';
import type { ActionContext } from '../../../store/port/control.ts';
import type { AgentRow, AgentStatus, AgentStore, AgentTraceRow } from '../../../store/port/resources/agents.ts';
import type { Outbound } from '../../executors/outbound/index.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { type AgentCard, readCard, trait, traitsOf } from './card.ts';
import { discoverCard, slug } from './discovery.ts';
import { allowedTransitions, canTransition, isStale, statusAfterReregistration } from './status.ts';

export interface AgentView {
  readonly uuid: string;
  readonly card: AgentCard;
  readonly status: AgentStatus;
  /** Active, but without a heartbeat for longer than `STALE_AFTER_MS`. */
  readonly stale: boolean;
  readonly registeredAtMs: number;
  readonly updatedAtMs: number;
  /** Null = no heartbeat yet. */
  readonly lastHeartbeatAtMs: number | null;
}

export interface AgentQuery {
  readonly status?: AgentStatus;
  /** Ids or names of skills; an agent must have all of them. */
  readonly skills?: readonly string[];
  readonly protocol?: string;
  readonly trustDomain?: string;
}

/** Time limit for a whole discovery, all requests and redirects included. */
const DISCOVERY_TIMEOUT_MS = 10_000;
/** Rows read at a time, since cards may be long. */
const PAGE_SIZE = 50;
/** How often a change is attempted when concurrent changes to the agent win. */
const MAX_ATTEMPTS = 10;

/** The actor of an agent's own actions in the audit log; its tokens and workers carry this name. */
export function actorOf(agentId: string): string {
  return `agent:${agentId}`;
}

/**
 * The registered agents of each tenant: cards, status, heartbeats. Methods that name an agent take its id or uuid and reject with
 * `RuntimeError` `not_found` if the tenant has no such agent.
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

  /** Registers an agent, or replaces the card of the agent with that id. Rejects with `bad_request` for an invalid card. */
  register(card: JsonObject, context: ActionContext): Promise<{ readonly agent: AgentView; readonly created: boolean }> {
    return this.#put(readCard(card), context, (created) => ({ type: created ? 'agent_registered' : 'agent_updated' }));
  }

  /**
   * Fetches an agent's card from a URL and registers it. Rejects with `bad_request` for an invalid URL, and with `remote_failed` if no card
   * is found or the card is invalid.
   */
  async discover(url: string, context: ActionContext): Promise<AgentView> {
    const found = await discoverCard(this.#outbound, url, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS));
    let card: AgentCard;
    try {
      card = readCard(found.card);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      throw new RuntimeError('remote_failed', `the agent card at ${found.url} is invalid: ${error.message}`, { cause: error });
    }
    if (!found.hasOwnId) card = await this.#withFreeId(card, context.tenantId);
    return (await this.#put(card, context, () => ({ type: 'agent_discovered', url: found.url.replace(/\?.*/, '') }))).agent;
  }

  async get(tenantId: string, idOrUuid: string): Promise<AgentView> {
    return this.#viewOf(await this.#row(tenantId, idOrUuid));
  }

  /** Most recently registered first. Reads the store in pages. */
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
    const filter = { ...(query.status === undefined ? {} : { status: query.status }), traits };
    let position: { readonly offset: number; readonly before?: number } = { offset: page.offset };
    for (let read = 0; read < page.limit; read += PAGE_SIZE) {
      const limit = Math.min(PAGE_SIZE, page.limit - read);
      const { agents, next } = await this.#store.list(tenantId, { ...filter, ...position, limit });
      for (const row of agents) yield this.#viewOf(row);
      if (next === null) return;
      position = { offset: 0, before: next };
    }
  }

  /** Idempotent. Rejects with `conflict` if the agent's current status does not allow the transition. */
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

  /** Records a heartbeat, in any status. Resolves with the agent's id. */
  async heartbeat(tenantId: string, idOrUuid: string): Promise<string> {
    const { id } = await this.#row(tenantId, idOrUuid);
    await this.#store.heartbeat(tenantId, id, this.#nowMs());
    return id;
  }

  /** Audit entries about the agent, newest first. */
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
    if (row === null) throw new RuntimeError('not_found', `agent ${truncated(idOrUuid)} not found`);
    return row;
  }

  /** An id derived from a name must not replace another agent of the same name. */
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

  /** Null if the agent has changed since it was read. */
  async #write(row: AgentRow, type: string, details: JsonObject, context: ActionContext): Promise<AgentView | null> {
    const { lastHeartbeatAtMs: _, ...agent } = row;
    const data = JSON.stringify({ agent_id: row.id, uuid: row.uuid, status: row.status, ...details });
    const card = JSON.parse(row.card) as AgentCard;
    const written = await this.#store.put({ agent, traits: traitsOf(card), event: { type, data } }, context);
    return written ? this.#viewOf(row) : null;
  }

  /** Repeats an attempt that resolved with null because of a concurrent change. */
  async #retryOnConflict<T>(attempt: () => Promise<T | null>): Promise<T> {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
      const done = await attempt();
      if (done !== null) return done;
    }
    throw new RuntimeError('conflict', 'the agent was changed concurrently: try again');
  }

  #viewOf(row: AgentRow): AgentView {
    const { uuid, status, registeredAtMs, updatedAtMs, lastHeartbeatAtMs } = row;
    const card = JSON.parse(row.card) as AgentCard;
    return { uuid, card, status, stale: isStale(row, this.#nowMs()), registeredAtMs, updatedAtMs, lastHeartbeatAtMs };
  }
}
