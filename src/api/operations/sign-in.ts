import { type Static, Type } from 'typebox';
import { ROLES } from '../../server/tokens.ts';
import { nullable, optional, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';
import { RevokedToken } from './tokens.ts';

export const CreateSignInLink = Type.Object(
  {
    expires_in: optional(
      Type.String({ maxLength: 16 }),
      'How long the link can be used: `90s`, `5m`; at most `1h`. Default: `5m`. Never longer than the token of the caller.',
    ),
  },
  { additionalProperties: false, description: 'A new sign-in link. The body may be missing.' },
);
export type CreateSignInLink = Static<typeof CreateSignInLink>;

export const SignInLink = Type.Object(
  {
    code: nullable(
      text('The code.'),
      'For `POST /sign-in`, once. It is returned here and never again. Null when authentication is off: no sign-in is needed.',
    ),
    url: text('The console with the code, which a browser does not send to the server. A secret until it is used.'),
    expires_at: nullable(timestamp('A time.'), 'When the link expires; null when authentication is off.'),
  },
  { description: 'A link by which a browser signs in as the caller, once.' },
);
export type SignInLink = Static<typeof SignInLink>;

export const SignIn = Type.Object(
  { code: text('The code of a sign-in link.', { maxLength: 256 }) },
  { additionalProperties: false, description: 'A sign-in by a link.' },
);
export type SignIn = Static<typeof SignIn>;

export const SignedIn = Type.Object(
  {
    token: text('The plaintext of a new token, which is returned here and never again.'),
    token_id: text('Id of the token.'),
    tenant_id: text('Tenant of the token: that of the token that made the link.'),
    name: text('Name of the token: that of the token that made the link, with ` (console)`.'),
    role: Type.Enum(ROLES, { description: 'Role of the token: that of the token that made the link.' }),
    expires_at: timestamp('When the token expires: after 12 hours, or with the token that made the link.'),
  },
  { description: 'A new token. It is revoked with the token that made the link.' },
);
export type SignedIn = Static<typeof SignedIn>;

export const SIGN_IN = {
  tag: 'Identity',
  operations: {
    'POST /sign-in-links': {
      id: 'createSignInLink',
      access: 'read',
      summary: 'Make a one-time sign-in link',
      description:
        'A link by which a browser signs in to the console as the caller. It works once. A token makes no link that outlives it, and a token that comes from a link makes none.',
      body: CreateSignInLink,
      bodyMayBeMissing: true,
      reply: SignInLink,
      status: 201,
    },
    'POST /sign-in': {
      id: 'signIn',
      access: 'open',
      summary: 'Sign in by a link',
      description: 'Exchanges the code of a sign-in link for a token. A second use of a code is refused.',
      body: SignIn,
      reply: SignedIn,
      status: 201,
    },
    'POST /sign-out': {
      id: 'signOut',
      access: 'read',
      summary: 'Sign out',
      description: 'Revokes the token of the caller, if it comes from a sign-in link. 409 for other tokens.',
      reply: RevokedToken,
    },
  },
} satisfies Resource;
