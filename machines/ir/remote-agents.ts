import type { Static } from 'typebox';
import { isObject, type Json } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import { variablesIn } from '../variables.ts';
import { Credential, readCredential } from './credential.ts';

/** In normal form. */
export const RemoteAgent = Type.Object(
  {
    url: Type.String({
      description: 'URL of the agent; a name in `$` and braces stands for a variable that the operator gives to the tenant.',
    }),
    agent_card_path: Type.Optional(
      Type.String({ description: 'Path of its card. Default: `/.well-known/agent.json`, else `/.well-known/agent-card.json`.' }),
    ),
    auth: Type.Optional(Credential),
  },
  { description: 'An agent that nodes call by its name.' },
);
export type RemoteAgent = Static<typeof RemoteAgent>;

/** All of them: a node may name an agent by an expression. */
export function readRemoteAgents(fields: Fields): Record<string, RemoteAgent> {
  const agents = fields.object('remote_agents') ?? {};
  const read = fields.inside('remote_agents', agents);
  return Object.fromEntries(
    Object.entries(agents).flatMap(([name, raw]): [string, RemoteAgent][] => {
      const agent = readAgent(read, name, raw);
      return agent === null ? [] : [[name, agent]];
    }),
  );
}

function readAgent(agents: Fields, name: string, raw: Json): RemoteAgent | null {
  if (!isObject(raw)) {
    agents.error('wrong_type', name, 'must be an object {url, auth}');
    return null;
  }
  const fields = agents.inside(name, raw);
  return {
    url: readUrl(fields, 'url'),
    ...optional('agent_card_path', fields.text('agent_card_path')),
    ...optional('auth', readCredential(fields)),
  };
}

function readUrl(fields: Fields, key: string): string {
  const url = fields.requiredText(key);
  // What a variable stands for is known when the agent is called.
  const isKnown = variablesIn(url).length === 0;
  if (isKnown && url !== '' && !/^https?:\/\/[^\s/]/i.test(url))
    fields.error('bad_url', key, 'must be an http:// or https:// URL');
  return url;
}
