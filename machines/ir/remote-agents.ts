import { type Static, Type } from 'typebox';
import { isObject, type Json } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { variablesIn } from '../variables.ts';

const Bearer = Type.Object({
  type: Type.Literal('bearer', { description: 'Sent as `Authorization: Bearer …`.' }),
  token_env: Type.String({ description: 'Variable with the token.' }),
});
const ApiKey = Type.Object({
  type: Type.Literal('api_key', { description: 'Sent as a header of its own.' }),
  header: Type.String({ description: 'Name of the header.' }),
  key_env: Type.String({ description: 'Variable with the key.' }),
});
const OAuth2 = Type.Object({
  type: Type.Literal('oauth2', { description: 'A token of the client credentials grant, sent as `Authorization: Bearer …`.' }),
  client_id_env: Type.String({ description: 'Variable with the id of the client.' }),
  client_secret_env: Type.String({ description: 'Variable with the secret of the client.' }),
  token_url: Type.String({ description: 'URL that issues tokens.' }),
  scope: Type.Optional(Type.String({ description: 'Scopes to ask for, separated by spaces. Default: none.' })),
});

export const RemoteAgentAuth = Type.Union([Bearer, ApiKey, OAuth2], {
  description: 'The credential that is sent to the agent, from variables that the operator has given to the tenant.',
});
export type RemoteAgentAuth = Static<typeof RemoteAgentAuth>;

/** In normal form. */
export const RemoteAgent = Type.Object(
  {
    url: Type.String({
      description: 'URL of the agent; a name in `$` and braces stands for a variable that the operator gives to the tenant.',
    }),
    agent_card_path: Type.Optional(
      Type.String({ description: 'Path of its card. Default: `/.well-known/agent.json`, else `/.well-known/agent-card.json`.' }),
    ),
    auth: Type.Optional(RemoteAgentAuth),
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
    ...optional('auth', readAuth(fields)),
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

function readAuth(fields: Fields): RemoteAgentAuth | undefined {
  const raw = fields.object('auth');
  if (raw === undefined) return undefined;
  const auth = fields.inside('auth', raw);
  const type = auth.oneOf(['type'], ['bearer', 'api_key', 'oauth2'] as const);
  switch (type) {
    case 'bearer':
      return { type, token_env: auth.requiredText('token_env') };
    case 'api_key':
      return { type, header: auth.requiredText('header'), key_env: auth.requiredText('key_env') };
    case 'oauth2':
      return {
        type,
        client_id_env: auth.requiredText('client_id_env'),
        client_secret_env: auth.requiredText('client_secret_env'),
        token_url: readUrl(auth, 'token_url'),
        ...optional('scope', auth.text('scope')),
      };
    case undefined:
      if (raw.type === undefined) auth.error('missing_key', 'type', 'is required');
      return undefined;
  }
}
