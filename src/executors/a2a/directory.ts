import type { JsonObject } from '../../../machines/json.ts';

/** An agent that a tenant has registered. */
export interface RegisteredAgent {
  readonly id: string;
  readonly name: string;
  readonly uri: string;
  readonly status: 'registered' | 'active' | 'paused' | 'deactivated' | 'archived';
  /** As it was registered, with defaults. */
  readonly card: JsonObject;
}

export interface AgentSearch {
  /** Id or name of a skill. */
  readonly skill?: string;
  readonly protocol?: string;
}

/** The registered agents, as work looks them up. */
export interface AgentDirectory {
  /** By id or uuid; null = the tenant has no such agent. */
  find(tenantId: string, id: string): Promise<RegisteredAgent | null>;
  /** Those that can be called, active ones first, then most recently registered first; at most `limit`. */
  search(tenantId: string, search: AgentSearch, limit: number): Promise<readonly RegisteredAgent[]>;
}

/** For runtimes without a registry. */
export const NO_AGENTS: AgentDirectory = { find: async () => null, search: async () => [] };
