import type { JsonObject } from '../../../machines/json.ts';
import type { AgentRow, AgentStore } from '../../../store/port/resources/agents.ts';
import type { AgentDirectory, RegisteredAgent } from '../../executors/a2a/directory.ts';
import { trait } from './card.ts';

interface DirectoryOptions {
  readonly nowMs?: () => number;
  /** Called when an outcome cannot be stored. */
  readonly onError: (error: unknown) => void;
}

/** The registered agents of a store, as work looks them up. */
export function agentDirectory(store: AgentStore, { nowMs = Date.now, onError }: DirectoryOptions): AgentDirectory {
  return {
    async find(tenantId, id) {
      const row = await store.get(tenantId, id);
      return row === null ? null : registered(row);
    },
    async search(tenantId, { skill, protocol }, limit) {
      const traits = [
        ...(skill === undefined || skill === '' ? [] : [trait('skill', skill)]),
        ...(protocol === undefined ? [] : [trait('protocol', protocol)]),
      ];
      const found: RegisteredAgent[] = [];
      for (const status of ['active', 'registered'] as const) {
        if (found.length >= limit) break;
        const { agents } = await store.list(tenantId, { status, traits, limit: limit - found.length, offset: 0 });
        found.push(...agents.map(registered));
      }
      return found;
    },
    async outcomes(tenantId, uris) {
      const rows = await store.outcomes(tenantId, uris);
      return new Map(
        rows.map(({ uri, calls, failures, totalMs }) => [
          uri,
          { calls: round(calls), failures: round(failures), meanMs: round(totalMs / calls) },
        ]),
      );
    },
    record(tenantId, uri, outcome) {
      store.recordOutcome(tenantId, { uri, ...outcome, atMs: nowMs() }).catch(onError);
    },
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function registered({ id, name, status, card }: AgentRow): RegisteredAgent {
  const parsed = JSON.parse(card) as JsonObject;
  return { id, name, uri: String(parsed.uri), status, card: parsed };
}
