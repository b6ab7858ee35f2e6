import type { Static } from 'typebox';
import type { JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { shortened } from '../shortened.ts';
import { Type } from '../type.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** `${NAME}`: a variable that the operator has given to the tenant. */
const REFERENCE = /^\$\{[A-Za-z_]\w*\}$/;
/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** In normal form. */
export const OAuth = Type.Object(
  {
    token_endpoint: Type.String({ description: `URL of the token endpoint, or \`\${NAME}\`.` }),
    client_id: Type.String({ description: `Client id, or \`\${NAME}\`.` }),
    client_secret: Type.Optional(
      Type.String({ description: `\`\${NAME}\`: the variable with the secret. Default: a public client.` }),
    ),
    requested_scopes: Type.Array(Type.String(), {
      description: 'Scopes that nodes may ask for. Default: any; the token endpoint decides.',
    }),
    audience: Type.Optional(Type.String({ description: 'Logical name of the service that the tokens are for.' })),
    resource: Type.Optional(Type.String({ description: 'URI of the service that the tokens are for.' })),
  },
  {
    description: `Where nodes with \`oauth_scopes\` exchange the subject token of their execution for an access token (RFC 8693). \`\${NAME}\` is a variable that the operator has given to the tenant.`,
  },
);
export type OAuth = Static<typeof OAuth>;

export function oauthOf(fields: Fields): OAuth | null {
  const raw = fields.object('oauth');
  if (raw === undefined) return null;
  const oauth = fields.inside('oauth', raw);
  checkFixedKeys(oauth);
  const secret = oauth.text('client_secret');
  if (secret !== undefined && !REFERENCE.test(secret))
    oauth.error('secret_in_document', 'client_secret', 'must be a reference, because documents are stored', `write "\${NAME}"`);
  return {
    token_endpoint: tokenEndpoint(oauth),
    client_id: oauth.requiredText('client_id'),
    ...optional('client_secret', secret),
    requested_scopes: scopesIn(oauth, 'requested_scopes'),
    ...optional('audience', oauth.text('audience')),
    ...optional('resource', oauth.text('resource')),
  };
}

/** Keys that may have one value only. */
function checkFixedKeys(oauth: Fields): void {
  const grant = oauth.text('grant_type');
  if (grant !== undefined && grant !== TOKEN_EXCHANGE)
    oauth.error('not_available', 'grant_type', `must be "${TOKEN_EXCHANGE}"`, 'leave it out');
  const source = oauth.text('subject_token_source');
  if (source !== undefined && source !== 'workflow_context')
    oauth.error('not_available', 'subject_token_source', 'must be "workflow_context"', 'leave it out');
}

function tokenEndpoint(oauth: Fields): string {
  const url = oauth.requiredText('token_endpoint');
  if (url !== '' && !REFERENCE.test(url) && !/^https?:\/\/[^\s/]/i.test(url))
    oauth.error('bad_url', 'token_endpoint', `must be an https:// URL or "\${NAME}"`);
  return url;
}

/** The scopes that the node's work needs, written as a list or as `{required_scopes}`; null = it needs no access token. */
export function scopesOf(node: Fields): readonly string[] | null {
  const given = node.json('oauth_scopes');
  if (given === undefined) return node.json('required_scopes') === undefined ? null : scopesIn(node, 'required_scopes');
  const raw: JsonObject | undefined = Array.isArray(given) ? undefined : node.object('oauth_scopes');
  return raw === undefined ? scopesIn(node, 'oauth_scopes') : scopesIn(node.inside('oauth_scopes', raw), 'required_scopes');
}

function scopesIn(fields: Fields, key: string): string[] {
  const scopes = fields.names(key);
  const bad = scopes.find((scope) => !SCOPE.test(scope));
  if (bad !== undefined) fields.error('bad_scope', key, `"${shortened(bad, 60)}" is not an OAuth scope`);
  return [...new Set(scopes)];
}
