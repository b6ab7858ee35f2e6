import type { Static } from 'typebox';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';

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

export const Credential = Type.Union([Bearer, ApiKey, OAuth2], {
  description: 'The credential that is sent, from variables that the operator has given to the tenant.',
});
export type Credential = Static<typeof Credential>;

/** The `auth` of a server or an agent. */
export function readCredential(fields: Fields): Credential | undefined {
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
        token_url: tokenUrl(auth),
        ...optional('scope', auth.text('scope')),
      };
    case undefined:
      if (raw.type === undefined) auth.error('missing_key', 'type', 'is required');
      return undefined;
  }
}

function tokenUrl(auth: Fields): string {
  const url = auth.requiredText('token_url');
  if (url !== '' && !/^https?:\/\/[^\s/]/i.test(url)) auth.error('bad_url', 'token_url', 'must be an http:// or https:// URL');
  return url;
}
