import type { Role } from '../../tokens.ts';
import { RequestError } from '../errors.ts';

/** Which requests a route accepts: all, those of any role, those of developers and operators, those of operators. */
export type Access = 'open' | 'read' | 'write' | 'operator';

/** What a role may be given, from the least to the most. */
export const ACCESS_OF_ROLES = ['read', 'write', 'operator'] as const satisfies readonly Access[];

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
  /** The token by whose sign-in link this one was made, or the token of a session that made it; null = neither. */
  readonly parentId: string | null;
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
  parentId: null,
  byToken: false,
  validAt: 0,
};

/** Which routes the role may use, beside the open ones. */
export function accessOf(role: Role): (typeof ACCESS_OF_ROLES)[number][] {
  return ACCESS_OF_ROLES.filter((access) => missingRole(role, access) === null);
}

/** Throws `RequestError` `forbidden` unless the role may use a route of that access. */
export function requireAccess(role: Role, access: Access): void {
  const required = missingRole(role, access);
  if (required === null) return;
  const roles = required === 'operator' ? 'operator' : 'developer or operator';
  throw new RequestError('forbidden', `insufficient role — ${roles} required`, { required });
}

/** The least role that may use a route of that access; null = this one may. */
function missingRole(role: Role, access: Access): Role | null {
  if (access === 'operator' && role !== 'operator') return 'operator';
  if (access === 'write' && role !== 'operator' && role !== 'developer') return 'developer';
  return null;
}
