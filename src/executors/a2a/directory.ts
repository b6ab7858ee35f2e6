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

/** What the last calls of an agent were like; older ones count less. */
export interface AgentOutcomes {
  readonly calls: number;
  readonly failures: number;
  /** Mean duration of a call. */
  readonly meanMs: number;
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
  /** By the URIs of the agents; those that were never called are absent. Default: none is known. */
  outcomes?(tenantId: string, uris: readonly string[]): Promise<ReadonlyMap<string, AgentOutcomes>>;
  /** Remembers what a call of an agent was like, soon. Default: nothing is remembered. */
  record?(tenantId: string, uri: string, outcome: { readonly failed: boolean; readonly durationMs: number }): void;
}

/** For runtimes without a registry. */
export const NO_AGENTS: AgentDirectory = { find: async () => null, search: async () => [] };
