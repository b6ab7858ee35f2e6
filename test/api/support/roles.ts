import { accessOf } from '../../../src/api/auth/identity.ts';
import { ROLES, type Role } from '../../../src/server/tokens.ts';

/** The roles that may use routes for reading. */
export const READERS: readonly Role[] = ROLES.filter((role) => accessOf(role).includes('read'));
