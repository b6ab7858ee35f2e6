import { isObject, type Json } from '../../machines/json.ts';
import { type WorkContext, WorkError } from './executor.ts';
import type { OutboundResponse } from './outbound/index.ts';
import { toJson } from './to-json.ts';

/** Headers by which a service recognises a repeated attempt, the execution that it belongs to, its trace, and the person that it acts for. */
export function contextHeaders({ idempotencyKey, executionId, accessToken, traceparent }: WorkContext): Record<string, string> {
  return {
    'idempotency-key': headerSafe(idempotencyKey),
    'x-jamjet-execution': executionId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken.token}` }),
  };
}

/** Percent-encodes what a header cannot hold: node ids may be in any script. */
function headerSafe(text: string): string {
  return text.replace(/[^!-~]+/g, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/** The body of a request and its headers with the content type: text as it is, a form URL-encoded, everything else as JSON. */
export function requestContent(
  body: Json | undefined,
  headers: Record<string, string>,
): { readonly body: string | null; readonly headers: Record<string, string> } {
  if (body === undefined) return { body: null, headers };
  const type = headers['content-type'];
  if (typeof body === 'string' && !type?.includes('json')) {
    return { body, headers: { ...headers, 'content-type': type ?? 'text/plain; charset=utf-8' } };
  }
  if (isObject(body) && type?.startsWith('application/x-www-form-urlencoded') === true) {
    return { body: new URLSearchParams(pairs('body', body)).toString(), headers };
  }
  return { body: JSON.stringify(body), headers: { ...headers, 'content-type': type ?? 'application/json' } };
}

/** The output for a response body: parsed if its content type is JSON, null if it is empty, else text. */
export function outputOf({ headers, text }: OutboundResponse): Json {
  if (text === '') return null;
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '')) return text;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new WorkError('the response has a JSON content type but is not valid JSON', {
      cause: error,
      retryable: true,
      errorClass: 'server_error',
    });
  }
  return toJson(parsed, 'response');
}

/** Name and text of every entry. A list repeats its name; null is left out. */
export function pairs(what: string, value: Json | undefined): [name: string, text: string][] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) throw invalid(`${what} must be an object, not ${typeOf(value)}`);
  return Object.entries(value).flatMap(([name, entry]) =>
    texts(`${what}.${name}`, entry).map((text): [string, string] => [name, text]),
  );
}

function texts(what: string, entry: Json): string[] {
  if (entry === null) return [];
  if (Array.isArray(entry)) return (entry as readonly Json[]).flatMap((item) => texts(what, item));
  if (isObject(entry)) throw invalid(`${what} must be text, a number or true/false, not an object`);
  return [String(entry)];
}

export function typeOf(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : `a ${typeof value}`;
}

export function invalid(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}
