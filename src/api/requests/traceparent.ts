import type { IncomingHttpHeaders } from 'node:http';

/** The header `traceparent`; null = none. The runtime ignores one that is not valid, as https://www.w3.org/TR/trace-context/ asks. */
export function traceparent(headers: IncomingHttpHeaders): string | null {
  const { traceparent: given } = headers;
  return typeof given === 'string' ? given : null;
}
