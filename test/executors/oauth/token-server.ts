import type { ReceivedRequest } from '../web-server.ts';
import { webServer } from '../web-server.ts';

/** What the endpoint replies to an exchange; a function of the parameters that it got. */
export type Reply = (parameters: URLSearchParams) => { readonly status?: number; readonly body: unknown };

/** Grants what is asked for, as `access-<number>`. */
export const grants: Reply = (parameters) => ({
  body: { access_token: 'access-token-1', token_type: 'Bearer', expires_in: 3600, scope: parameters.get('scope') ?? '' },
});

/** A token endpoint of an authorization server. */
export async function tokenServer(
  reply: Reply = grants,
): Promise<{ url: string; requests: ReceivedRequest[]; asked(): URLSearchParams[] }> {
  const { url, requests } = await webServer((_, response) => {
    const { status = 200, body } = reply(new URLSearchParams(requests.at(-1)?.body ?? ''));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return { url: `${url}/token`, requests, asked: () => requests.map(({ body }) => new URLSearchParams(body)) };
}
