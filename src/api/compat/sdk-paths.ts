import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Where JamJet's SDKs look for the routes: the Python SDK is told to use `/compat`, the Java SDK always uses `/api/v1`. */
const SDK_PREFIX = /^\/(?:compat|api\/v1)(?=[/?]|$)/;

/** What the Java SDK spells in a way of its own; these have routes of their own. */
const JAVA_ONLY_ROUTES = /^(?:GET|HEAD) \/api\/v1\/workflows(?:\?|$)|^\S+ \/api\/v1\/workflows\/[^/?]+\/execute(?:\?|$)/;

/** The URL a route is looked up by: without the prefix of an SDK. */
export function stripSdkPrefix({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  return JAVA_ONLY_ROUTES.test(`${method} ${url}`) ? url : url.replace(SDK_PREFIX, '').replace(/^(?=\?|$)/, '/');
}

/** Is an SDK asking? It reads events in the tagged form, and states in lists. */
export function isSdkRequest({ originalUrl }: FastifyRequest): boolean {
  return SDK_PREFIX.test(originalUrl);
}

/** Is a Java client asking? Its models have names of their own for the fields of events. */
export function isJavaSdkRequest({ originalUrl }: FastifyRequest): boolean {
  return /^\/api\/v1[/?]/.test(originalUrl);
}

/** The path as the client wrote it, without the query: for the log, the audit and errors. */
export function requestPath({ originalUrl }: FastifyRequest): string {
  return originalUrl.split('?', 1)[0] ?? '';
}
