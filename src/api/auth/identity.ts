import { ROLES, type Role } from '../../server/tokens.ts';
import { RequestError } from '../errors.ts';

/** What a role may be given. */
export const ACCESS_OF_ROLES = ['work', 'read', 'write', 'operator'] as const;
export type RoleAccess = (typeof ACCESS_OF_ROLES)[number];

/** Which callers a route accepts: all, or those of the roles that are given this. */
export type Access = 'open' | RoleAccess;

/** What each role may use, beside the open routes. */
const GIVEN: Readonly<Record<Role, readonly RoleAccess[]>> = {
  operator: ['work', 'read', 'write', 'operator'],
  developer: ['work', 'read', 'write'],
  reviewer: ['read'],
  viewer: ['read'],
  worker: ['work'],
};

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
  /** The only queues whose work it may do; null = all. */
  readonly queues: readonly string[] | null;
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
  queues: null,
  byToken: false,
  validAt: 0,
};

/** Which routes the role may use, beside the open ones. */
export function accessOf(role: Role): readonly RoleAccess[] {
  return GIVEN[role];
}

/** Throws `RequestError` `forbidden` unless the role may use a route of that access. */
export function requireAccess(role: Role, access: Access): void {
  if (access === 'open' || GIVEN[role].includes(access)) return;
  const required = sufficientRoles(access)[0] ?? 'operator';
  throw new RequestError('forbidden', `insufficient role — ${rolesWith(access)} required`, { required });
}

/** The roles that are given it, in words: `developer or operator`. */
export function rolesWith(access: RoleAccess): string {
  const roles = sufficientRoles(access);
  return [roles.slice(0, -1).join(', '), ...roles.slice(-1)].filter((part) => part !== '').join(' or ');
}

/** The least powerful first. */
function sufficientRoles(access: RoleAccess): readonly Role[] {
  return ROLES.filter((role) => GIVEN[role].includes(access)).reverse();
}
