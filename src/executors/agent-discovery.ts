import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import type { AgentAccess } from './a2a/remote-agents.ts';
import { type Executor, WorkError } from './executor.ts';
import { invalid, typeOf } from './http-content.ts';
import { toJson } from './to-json.ts';

/**
 * Executor of `agent_discovery` nodes. The output is the card of the agent, with its `id` and `uri`: of the active agent with the skill that
 * was registered last, else of one that is not active yet; or of the agent at a URL.
 */
export function agentDiscoveryExecutor(access: AgentAccess): Executor {
  return async ({ input }, { tenantId, signal }) => {
    const given = isObject(input) ? input : {};
    const url = textIn('agent_url', given);
    if (url !== undefined) return { output: await cardAt(url, access, tenantId, signal) };
    const skill = textIn('skill', given);
    const protocol = textIn('protocol', given);
    const search = { ...(skill === undefined ? {} : { skill }), ...(protocol === undefined ? {} : { protocol }) };
    const [found] = await access.agents.directory.search(tenantId, search, 1);
    if (found !== undefined) return { output: toJson({ ...found.card, id: found.id, uri: found.uri, status: found.status }) };
    const wanted = [
      ...(skill === undefined ? [] : [`the skill "${shortened(skill, 200)}"`]),
      ...(protocol === undefined ? [] : [`the protocol "${shortened(protocol, 200)}"`]),
    ];
    throw new WorkError(`no registered agent has ${wanted.join(' and ')}`, { retryable: false, errorClass: 'no_agent' });
  };
}

async function cardAt(url: string, access: AgentAccess, tenantId: string, signal: AbortSignal): Promise<JsonObject> {
  const { agents } = access;
  const address = await agents.locate(url, { ...access, tenantId }, signal);
  const { card } = await agents.reach(address, signal);
  if (card === null)
    throw new WorkError(`agent "${address.name}" has no agent card at ${address.url}`, {
      retryable: false,
      errorClass: 'no_agent_card',
    });
  return toJson({ ...card, uri: address.url }) as JsonObject;
}

function textIn(key: string, given: JsonObject): string | undefined {
  const value: Json = given[key] ?? null;
  if (value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`${key} must be text, not ${typeOf(value)}`);
  return value;
}
