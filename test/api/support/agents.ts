import Database from 'better-sqlite3';
import type { Agent, AgentList, AgentTrace } from '../../../src/api/operations/agents.ts';
import type { Api, CallOptions, Reply } from './api.ts';

/** The card of the reference. */
export const CARD = {
  id: 'research-agent',
  uri: 'http://localhost:7701',
  name: 'Research Agent',
  description: 'Searches the web and synthesizes reports.',
  version: '0.1.0',
  capabilities: {
    skills: [
      {
        name: 'research',
        description: 'Deep research on any topic',
        input_schema: { type: 'object', properties: { query: { type: 'string' } } },
        output_schema: { type: 'object', properties: { report: { type: 'string' } } },
      },
    ],
    protocols: ['a2a'],
    tools_provided: ['web_search'],
    tools_consumed: [],
  },
  autonomy: 'guided',
  auth: { type: 'bearer_token' },
} as const;

export function card(id: string, change: object = {}): object {
  return { ...CARD, id, name: id, ...change };
}

export function skilled(id: string, ...skills: readonly string[]): object {
  return card(id, { capabilities: { skills: skills.map((name) => ({ name })), protocols: ['a2a'] } });
}

export function agentOf(reply: Reply): Agent {
  return reply.body as unknown as Agent;
}

export function idsOf(reply: Reply): string[] {
  return (reply.body as unknown as AgentList).agents.map((agent) => agent.id);
}

export function traceOf(reply: Reply): AgentTrace['events'] {
  return (reply.body as unknown as AgentTrace).events;
}

/** Adds a tenant; returns the call options of its operator. */
export async function tenant(api: Api, id: string): Promise<CallOptions> {
  const database = new Database(api.path);
  const add = "INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms) VALUES (?, ?, 'active', 0, 0)";
  database.prepare(add).run(id, id);
  database.close();
  return { as: null, headers: { authorization: `Bearer ${await api.token('operator', { tenantId: id, name: `op-${id}` })}` } };
}
