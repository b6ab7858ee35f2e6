import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string>();

/** Runs an attempt within its trace, so that the requests that it sends are part of it. */
export function withinTrace<T>(traceparent: string | undefined, run: () => T): T {
  return traceparent === undefined ? run() : current.run(traceparent, run);
}

/** The header by which a service joins the trace of the attempt that calls it; empty outside of one. */
export function traceHeaders(): Record<string, string> {
  const traceparent = current.getStore();
  return traceparent === undefined ? {} : { traceparent };
}
