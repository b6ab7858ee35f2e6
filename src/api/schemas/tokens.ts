import { type Static, Type } from 'typebox';
import { ROLES } from '../../tokens.ts';
import { Name, optional, Timestamp } from './fields.ts';

/** Unknown fields are refused: a mistyped expiry would make a token for ever. */
export const CreateToken = Type.Object(
  {
    role: Type.Enum(ROLES),
    name: optional(Name),
    /** Absent = the caller's tenant. Only operators of tenant `default` may name another. */
    tenant_id: optional(Name),
    /** `90s`, `15m`, `12h`, `30d`, `4w`; absent = never. */
    expires_in: optional(Type.String({ maxLength: 16 })),
    /** The same as a moment, RFC 3339; one of the two. */
    expires_at: optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);
export type CreateToken = Static<typeof CreateToken>;

export const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Type.String(),
  tenant_id: Type.String(),
  created_at: Timestamp,
  expires_at: Type.Union([Timestamp, Type.Null()]),
  revoked_at: Type.Union([Timestamp, Type.Null()]),
});
export type Token = Static<typeof Token>;

/** The only time the plaintext is seen. */
export const CreatedToken = Type.Object({ ...Token.properties, token: Type.String() });
export type CreatedToken = Static<typeof CreatedToken>;

export const TokenList = Type.Object({ tokens: Type.Array(Token) });
export type TokenList = Static<typeof TokenList>;

export const RevokedToken = Type.Object({ id: Type.String(), revoked: Type.Literal(true) });
export type RevokedToken = Static<typeof RevokedToken>;
