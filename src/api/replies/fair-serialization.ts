import { TimeSlices } from '../../runtime/scheduling/time-slices.ts';
import type { Api } from '../services.ts';

/**
 * Spreads the serialization of replies over several turns of the event loop, by turns for the tenants: a large state takes tens of
 * milliseconds. Replies of open routes, such as the health of the server, do not wait.
 */
export function serializeFairly(app: Api, nowMs: () => number): void {
  const slices = new TimeSlices({ nowMs });
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    const turn = request.identity === null ? null : slices.slice(request.identity.tenantId).next();
    if (turn === null) done(null, payload);
    else turn.then(() => done(null, payload), done);
  });
}
