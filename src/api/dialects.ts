import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Where JamJet's SDKs look for the routes: the Python SDK is told to use `/compat`, the Java SDK always uses `/api/v1`. */
const PREFIX = /^\/(?:compat|api\/v1)(?=[/?]|$)/;

/** What the Java SDK spells in a way of its own; these have routes of their own. */
const OF_JAVA_ALONE = /^(?:GET|HEAD) \/api\/v1\/workflows(?:\?|$)|^\S+ \/api\/v1\/workflows\/[^/?]+\/execute(?:\?|$)/;

/** The URL a route is looked up by: without the prefix of an SDK. */
export function routedUrl({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  return OF_JAVA_ALONE.test(`${method} ${url}`) ? url : url.replace(PREFIX, '').replace(/^(?=\?|$)/, '/');
}

/** Is an SDK asking? It reads events in the tagged form, and states in lists. */
export function isSdk({ originalUrl }: FastifyRequest): boolean {
  return PREFIX.test(originalUrl);
}

/** Is a Java client asking? Its models have names of their own for the fields of events. */
export function isJava({ originalUrl }: FastifyRequest): boolean {
  return /^\/api\/v1[/?]/.test(originalUrl);
}

/** The path as the client wrote it, without the query: for the log, the audit and errors. */
export function pathOf({ originalUrl }: FastifyRequest): string {
  return originalUrl.split('?', 1)[0] ?? '';
}
