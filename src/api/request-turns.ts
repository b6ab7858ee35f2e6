import type { FastifyRequest } from 'fastify';
import type { Cooperative } from '../../machines/cooperative.ts';
import type { Slice, TimeSlices } from '../runtime/scheduling/time-slices.ts';
import type { Api } from './services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its time on this thread, shared with those of other tenants; null on open routes, which do not wait. */
    slice: Slice | null;
  }
}

/** Large bodies of open routes share one turn. */
const NO_TENANT = '';

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

  /** Computes in pieces, each in a turn of the request's tenant. */
  takeInPieces<T>(request: FastifyRequest, computation: Cooperative<T>, done: (error: Error | null, value?: T) => void): void {
    const slice = this.#sliceOf(request) ?? this.#slices.slice(NO_TENANT);
    this.#slices.drive(slice, computation).then((value) => done(null, value), done);
  }

  #sliceOf(request: FastifyRequest): Slice | null {
    if (request.identity !== null) request.slice ??= this.#slices.slice(request.identity.tenantId);
    return request.slice;
  }

  /** Computes in the turn of the request's tenant: at once, unless others wait. */
  take<T>(request: FastifyRequest, compute: () => T, done: (error: Error | null, value?: T) => void): void {
    const slice = this.#sliceOf(request);
    const turn = slice === null ? null : slice.next();
    if (turn === null) done(null, compute());
    else turn.then(compute).then((value) => done(null, value), done);
  }
}
