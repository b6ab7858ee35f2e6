import type {
  Agent,
  AgentAlive,
  AgentCardInput,
  AgentList,
  AgentMoved,
  AgentSearch,
  AgentsQuery,
  AgentTrace,
} from '../api/schemas/agents.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** The agents of the token's tenant. Agents are named by their id or their uuid. */
export class AgentClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registering an id again replaces its card. */
  register(card: AgentCardInput, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('POST', '/agents', { ...options, body: card });
  }

  /** Registers the agent behind a URL, by the card found there. */
  discover(url: string, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('POST', '/agents/discover', { ...options, body: { url } });
  }

  list(query: AgentsQuery = {}, options?: CallOptions): Promise<AgentList> {
    return this.#transport.call('GET', '/agents', { ...options, query: { ...query } });
  }

  search(query: AgentSearch = {}, options?: CallOptions): Promise<AgentList> {
    return this.#transport.call('GET', '/agents/search', { ...options, query: { ...query } });
  }

  get(id: string, options?: CallOptions): Promise<Agent> {
    return this.#transport.call('GET', `/agents/${pathSegment(id)}`, options);
  }

  activate(id: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#move(id, 'activate', options);
  }

  pause(id: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#move(id, 'pause', options);
  }

  deactivate(id: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#move(id, 'deactivate', options);
  }

  archive(id: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#move(id, 'archive', options);
  }

  heartbeat(id: string, options?: CallOptions): Promise<AgentAlive> {
    return this.#transport.call('POST', `/agents/${pathSegment(id)}/heartbeat`, options);
  }

  trace(id: string, query: { readonly limit?: number } = {}, options?: CallOptions): Promise<AgentTrace> {
    return this.#transport.call('GET', `/agents/${pathSegment(id)}/trace`, { ...options, query: { ...query } });
  }

  #move(id: string, verb: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#transport.call('POST', `/agents/${pathSegment(id)}/${verb}`, options);
  }
}
