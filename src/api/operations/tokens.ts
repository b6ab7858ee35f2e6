import { type Static, Type } from 'typebox';
import { ROLES } from '../../server/tokens.ts';
import { byId, listOf, name, nullable, optional, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

/** Unknown fields are refused: a misspelt expiry would create a token that never expires. */
export const CreateToken = Type.Object(
  {
    role: Type.Enum(ROLES, { description: 'What the token may do.' }),
    name: optional(name('A name.'), 'Name of the token: the actor in events and approvals. Default: made of its role and id.'),
    tenant_id: optional(
      name('A tenant.'),
      "Tenant of the token. Default: the caller's. Only operators of tenant `default` may name another one.",
    ),
    expires_in: optional(
      Type.String({ maxLength: 16 }),
      'Lifetime: `90s`, `15m`, `12h`, `30d`, `4w`. Default: the token never expires. Never longer than the token of the caller, if that comes from a sign-in link.',
    ),
    expires_at: optional(
      Type.String({ maxLength: 64 }),
      'When the token expires, in RFC 3339. Cannot be combined with `expires_in`.',
    ),
    queues: optional(
      Type.Array(name('A queue.'), { minItems: 1, maxItems: 64 }),
      'The only queues whose work the token may do; only with role `worker`. Default: all queues of the tenant.',
    ),
  },
  { additionalProperties: false, description: 'A new token.' },
);
export type CreateToken = Static<typeof CreateToken>;

export const Token = Type.Object(
  {
    id: text('Id of the token.'),
    name: text('Name of the token: the actor in events and approvals.'),
    role: text('What the token may do: `operator`, `developer`, `reviewer`, `viewer` or `worker`.'),
    tenant_id: text('Tenant of the token.'),
    created_at: timestamp('When the token was created.'),
    expires_at: nullable(timestamp('A time.'), 'When the token expires; null = never.'),
    parent_id: nullable(
      text('An id.'),
      'Id of the token by whose sign-in link this one was made, or of a session that made it; it is revoked with that one. Null if neither.',
    ),
    queues: nullable(listOf(text('A queue.'), 'Queues.'), 'The only queues whose work the token may do; null = all.'),
    revoked_at: nullable(timestamp('A time.'), 'When the token was revoked; null if it was not.'),
  },
  { description: 'A token, without its plaintext.' },
);
export type Token = Static<typeof Token>;

export const CreatedToken = Type.Object(
  { ...Token.properties, token: text('The plaintext, which is returned here and never again.') },
  { description: 'A new token with its plaintext.' },
);
export type CreatedToken = Static<typeof CreatedToken>;

export const TokenList = Type.Object({ tokens: listOf(Token, 'Oldest first.') }, { description: 'The tokens of the tenant.' });
export type TokenList = Static<typeof TokenList>;

export const RevokedToken = Type.Object(
  { id: text('Id of the token.'), revoked: Type.Literal(true, { description: 'Always true.' }) },
  { description: 'A token was revoked.' },
);
export type RevokedToken = Static<typeof RevokedToken>;

export const TOKENS = {
  tag: 'Tokens',
  operations: {
    'POST /tokens': {
      id: 'createToken',
      access: 'operator',
      summary: 'Create a token',
      description:
        'The plaintext is returned here and never again. A token that comes from a sign-in link makes only tokens that expire with it, at the latest, and are revoked with it.',
      body: CreateToken,
      status: 201,
      reply: CreatedToken,
    },
    'GET /tokens': { id: 'listTokens', access: 'operator', summary: 'List the tokens of the tenant', reply: TokenList },
    'DELETE /tokens/:id': {
      id: 'revokeToken',
      access: 'operator',
      summary: 'Revoke a token',
      description: 'Tokens that come from its sign-in links, and those that they made, are revoked with it.',
      params: byId('Id of the token.'),
      reply: RevokedToken,
    },
  },
} satisfies Resource;
