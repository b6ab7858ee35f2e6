import type { FastifyRequest } from 'fastify';
import type { Slice, TimeSlices } from '../runtime/scheduling/time-slices.ts';
import type { Api } from './services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its time on this thread, shared with those of other tenants; null on open routes, which do not wait. */
    slice: Slice | null;
  }
}

/**
 * Tenants take turns with what requests compute: parsing their bodies, what their handlers do at once, and serializing their replies.
 * Each may take tens of milliseconds, and many requests may arrive in one turn of the event loop.
 */
export class RequestTurns {
  readonly #slices: TimeSlices;

  constructor(app: Api, slices: TimeSlices) {
    this.#slices = slices;
    app.decorateRequest('slice', null);
    app.addHook('preValidation', (request, _reply, done) =>
      this.take(
        request,
        () => undefined,
        (error) => done(error ?? undefined),
      ),
    );
    app.addHook('preSerialization', (request, _reply, payload, done) => this.take(request, () => payload, done));
  }

  /** Computes in the turn of the request's tenant: at once, unless others wait. */
  take<T>(request: FastifyRequest, compute: () => T, done: (error: Error | null, value?: T) => void): void {
    if (request.identity !== null) request.slice ??= this.#slices.slice(request.identity.tenantId);
    const turn = request.slice === null ? null : request.slice.next();
    if (turn === null) done(null, compute());
    else turn.then(compute).then((value) => done(null, value), done);
  }
}
