import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Path prefixes of JamJet's SDKs: the Python SDK is configured to use `/compat`, the Java SDK always uses `/api/v1`. */
const SDK_PREFIX = /^\/(?:compat|api\/v1)(?=[/?]|$)/;

/** Routes that differ for the Java SDK by more than the prefix. */
const JAVA_ONLY_ROUTES = /^(?:GET|HEAD) \/api\/v1\/workflows(?:\?|$)|^\S+ \/api\/v1\/workflows\/[^/?]+\/execute(?:\?|$)/;

/** The URL by which the route is found: without the prefix of an SDK. */
export function stripSdkPrefix({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  if (url.startsWith('/') && !SDK_PREFIX.test(url)) return url;
  return JAVA_ONLY_ROUTES.test(`${method} ${url}`) ? url : url.replace(SDK_PREFIX, '').replace(/^(?=\?|$)/, '/');
}

/** Whether an SDK sent the request: it reads events in the tagged form, and lists with states. */
export function isSdkRequest({ originalUrl }: FastifyRequest): boolean {
  return SDK_PREFIX.test(originalUrl);
}

/** Whether the Java SDK sent the request: it has other names for the fields of events. */
export function isJavaSdkRequest({ originalUrl }: FastifyRequest): boolean {
  return /^\/api\/v1[/?]/.test(originalUrl);
}

/** The path as the client sent it, without the query; for logs, the audit and errors. */
export function requestPath({ originalUrl }: FastifyRequest): string {
  const query = originalUrl.indexOf('?');
  return query === -1 ? originalUrl : originalUrl.slice(0, query);
}
