import type { Role } from '../../tokens.ts';
import { RequestError } from '../errors.ts';

/** Which requests a route accepts: all, those of any role, those of developers and operators, those of operators. */
export type Access = 'open' | 'read' | 'write' | 'operator';

/** The caller of a request. */
export interface Identity {
  readonly tenantId: string;
  /** Name of the token: the actor in events and approvals. */
  readonly name: string;
  /** Id of the token; several tokens may have the same name. Null when authentication is off. */
  readonly tokenId: string | null;
  readonly role: Role;
  /** When the token expires; null = never. */
  readonly expiresAtMs: number | null;
  /** False when authentication is off. */
  readonly byToken: boolean;
  /** `TokenAuthenticator.invalidations` when the token was read: while that has not changed, the token is still valid. */
  readonly validAt: number;
}

/** The caller of every request when authentication is off. */
export const ANONYMOUS: Identity = {
  tenantId: 'default',
  name: 'anonymous',
  tokenId: null,
  role: 'operator',
  expiresAtMs: null,
  byToken: false,
  validAt: 0,
};

/** Throws `RequestError` `forbidden` unless the role may use a route of that access. */
export function requireAccess(role: Role, access: Access): void {
  if (access === 'operator' && role !== 'operator')
    throw new RequestError('forbidden', 'insufficient role — operator required', { required: 'operator' });
  if (access === 'write' && role !== 'operator' && role !== 'developer')
    throw new RequestError('forbidden', 'insufficient role — developer or operator required', { required: 'developer' });
}
