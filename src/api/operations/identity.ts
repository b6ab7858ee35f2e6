import { type Static, Type } from 'typebox';
import { ROLES } from '../../server/tokens.ts';
import { ACCESS_OF_ROLES } from '../auth/identity.ts';
import { listOf, nullable, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const Caller = Type.Object(
  {
    tenant_id: text('Tenant of the caller. Operators of tenant `default` manage the others.'),
    name: text('Name of the token: the actor in events and approvals.'),
    role: Type.Enum(ROLES, { description: 'What the token may do.' }),
    access: listOf(
      Type.Enum(ACCESS_OF_ROLES, { description: 'An access.' }),
      'Which routes the role may use, by the access that docs/api.md states for each: `work`, `read`, `write`, `operator`.',
    ),
    token_id: nullable(text('An id.'), 'Id of the token; null when authentication is off.'),
    expires_at: nullable(timestamp('A time.'), 'When the token expires; null = never.'),
    auth: Type.Enum(['on', 'off'], {
      description: '`off`: the server asks for no token, and every request acts as an operator of tenant `default`.',
    }),
  },
  { description: 'The caller of the request.' },
);
export type Caller = Static<typeof Caller>;

export const IDENTITY = {
  tag: 'Identity',
  operations: {
    'GET /me': {
      id: 'me',
      access: 'read',
      summary: 'Read who the caller is',
      description: 'The tenant, the name and the rights of the token that the request was made with.',
      reply: Caller,
    },
  },
} satisfies Resource;
