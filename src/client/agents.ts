import type {
  Agent,
  AgentCardInput,
  AgentHeartbeat,
  AgentList,
  AgentSearch,
  AgentStatusChange,
  AgentsQuery,
  AgentTrace,
} from '../api/schemas/agents.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** The agents of the token's tenant. An agent is identified by its id or its uuid. */
export class AgentClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registers an agent; an existing id gets the new card. */
  register(card: AgentCardInput, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('POST', '/agents', { ...options, body: card });
  }

  /** Registers the agent at a URL by the card the server fetches from there. */
  discover(url: string, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('POST', '/agents/discover', { ...options, body: { url } });
  }

  /** Lists agents, most recently registered first; by default 100. */
  list(query: AgentsQuery = {}, options?: CallOptions): Promise<AgentList> {
    return this.#transport.call('GET', '/agents', { ...options, query: { ...query } });
  }

  /** Finds active agents that have all given skills. */
  search(query: AgentSearch = {}, options?: CallOptions): Promise<AgentList> {
    return this.#transport.call('GET', '/agents/search', { ...options, query: { ...query } });
  }

  /** Rejects with 404 if the agent does not exist. */
  get(id: string, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('GET', `/agents/${pathSegment(id)}`, options);
  }

  /** Activates a registered or paused agent. Rejects with 409 from another status. */
  activate(id: string, options?: CallOptions): Promise<AgentStatusChange> {
    return this.#move(id, 'activate', options);
  }

  /** Pauses an active agent. Rejects with 409 from another status. */
  pause(id: string, options?: CallOptions): Promise<AgentStatusChange> {
    return this.#move(id, 'pause', options);
  }

  /** Takes an agent out of service; registering it again restores it. */
  deactivate(id: string, options?: CallOptions): Promise<AgentStatusChange> {
    return this.#move(id, 'deactivate', options);
  }

  /** Archives a deactivated agent. Rejects with 409 from another status. */
  archive(id: string, options?: CallOptions): Promise<AgentStatusChange> {
    return this.#move(id, 'archive', options);
  }

  /** Reports that an agent is alive; it counts as silent 90 s after the last heartbeat. */
  heartbeat(id: string, options?: CallOptions): Promise<AgentHeartbeat> {
    return this.#transport.call('POST', `/agents/${pathSegment(id)}/heartbeat`, options);
  }

  /** Recorded actions on and by an agent, newest first; by default 20, at most 200. */
  trace(id: string, query: { readonly limit?: number } = {}, options?: CallOptions): Promise<AgentTrace> {
    return this.#transport.call('GET', `/agents/${pathSegment(id)}/trace`, { ...options, query: { ...query } });
  }

  #move(id: string, verb: string, options?: CallOptions): Promise<AgentStatusChange> {
    return this.#transport.call('POST', `/agents/${pathSegment(id)}/${verb}`, options);
  }
}
