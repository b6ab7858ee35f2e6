import type {
  Agent,
  AgentAlive,
  AgentList,
  AgentMoved,
  AgentSearch,
  AgentsQuery,
  AgentTrace,
  GivenCard,
} from '../api/schemas/agents.ts';
import { type CallOptions, segment, type Transport } from './transport.ts';

/** The agents of the token's tenant. Agents are named by their id or their uuid. */
export class AgentClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registering an id again replaces its card. */
  register(card: GivenCard, options?: CallOptions): Promise<Agent> {
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
    return this.#transport.call('GET', `/agents/${segment(id)}`, options);
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
    return this.#transport.call('POST', `/agents/${segment(id)}/heartbeat`, options);
  }

  trace(id: string, query: { readonly limit?: number } = {}, options?: CallOptions): Promise<AgentTrace> {
    return this.#transport.call('GET', `/agents/${segment(id)}/trace`, { ...options, query: { ...query } });
  }

  #move(id: string, verb: string, options?: CallOptions): Promise<AgentMoved> {
    return this.#transport.call('POST', `/agents/${segment(id)}/${verb}`, options);
  }
}
