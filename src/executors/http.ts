import { isObject, type Json } from '../../machines/json.ts';
import type { Executor } from './executor.ts';
import { contextHeaders, invalid, outputOf, pairs, requestContent, typeOf } from './http-content.ts';
import type { Outbound } from './outbound/index.ts';
import { MIN_SECRET_LENGTH } from './secrets.ts';

/**
 * Executor of `http` nodes: sends the rendered `url`, `headers`, `query` and `body`. The output is the response body: parsed if its content
 * type is JSON, null if it is empty, else text. A status outside 2xx fails the attempt. Every attempt of one visit carries the same
 * `Idempotency-Key`, unless the workflow sets its own. `vars`: the variables of the tenant; one that is sent as a credential is masked where the
 * response repeats it.
 */
export function httpExecutor(outbound: Outbound, vars: Readonly<Record<string, string>> = {}): Executor {
  return async (work, context) => {
    const { url, headers, query, body } = isObject(work.input) ? work.input : {};
    if (typeof url !== 'string') throw invalid(`url must be text, not ${typeOf(url)}`);
    const { method } = work.payload;
    const response = await outbound.request({
      url: withQuery(url, query),
      method: typeof method === 'string' ? method : 'GET',
      ...requestContent(body, { ...contextHeaders(context), ...headersOf(headers) }),
      signal: context.signal,
      secrets: credentialsIn([url.split('?')[1] ?? '', ...texts('query', query), ...texts('headers', headers)], vars),
    });
    return { output: outputOf(response) };
  };
}

/** The variables that stand in the query or a header: not those of the address, which a response may link to. */
function credentialsIn(sent: readonly string[], vars: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(vars).filter((value) => value.length >= MIN_SECRET_LENGTH && sent.some((text) => text.includes(value)));
}

function texts(what: string, value: Json | undefined): readonly string[] {
  return pairs(what, value).map(([, text]) => text);
}

function headersOf(value: Json | undefined): Record<string, string> {
  return Object.fromEntries(pairs('headers', value).map(([name, text]) => [name.toLowerCase(), text]));
}

function withQuery(url: string, query: Json | undefined): string {
  const added = new URLSearchParams(pairs('query', query)).toString();
  if (added === '') return url;
  const hash = url.indexOf('#');
  const address = hash < 0 ? url : url.slice(0, hash);
  return `${address}${address.includes('?') ? '&' : '?'}${added}${hash < 0 ? '' : url.slice(hash)}`;
}
