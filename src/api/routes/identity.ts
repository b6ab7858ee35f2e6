import { accessOf } from '../auth/identity.ts';
import { IDENTITY } from '../operations/identity.ts';
import { implement } from './implement.ts';

export const identityRoutes = implement(IDENTITY, {
  'GET /me': ({ identity }) => ({
    ...identity,
    access: accessOf(identity.role),
    auth: identity.byToken ? ('on' as const) : ('off' as const),
  }),
});
