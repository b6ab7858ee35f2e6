import type { InjectOptions } from 'fastify';
import type { Api } from './api.ts';

export interface Route {
  readonly method: string;
  /** `/executions/:id`. */
  readonly url: string;
}

/** Every registered route but HEAD, read from the router so that none can be forgotten. */
export async function registeredRoutes({ app }: Pick<Api, 'app'>): Promise<readonly Route[]> {
  await app.ready();
  const routes: Route[] = [];
  const path: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', segment = '', , methods = ''] = /^((?:[│ ] {3})*)[├└]── (\S*)( \(([A-Z, ]+)\))?/.exec(line) ?? [];
    if (segment === '') continue;
    path.length = indent.length / 4;
    path.push(segment);
    const url = path.join('').replaceAll('//', '/');
    for (const method of methods.split(', ')) if (method !== '' && method !== 'HEAD') routes.push({ method, url });
  }
  return routes.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

export function nameOf({ method, url }: Route): string {
  return `${method} ${url}`;
}

export interface Answer {
  readonly status: number;
  /** Empty for a stream. */
  readonly text: string;
}

/** Calls a route; of a stream, reads only the headers. */
export async function answer(
  { app }: Pick<Api, 'app'>,
  { method, url }: Route,
  token: string | null,
  body?: unknown,
): Promise<Answer> {
  const reply = await app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    payloadAsStream: true,
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const stream = reply.stream();
  if (String(reply.headers['content-type']).startsWith('text/event-stream')) {
    stream.destroy();
    return { status: reply.statusCode, text: '' };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return { status: reply.statusCode, text: Buffer.concat(chunks).toString('utf8') };
}
