import type { Api } from '../api/services.ts';
import type { ClientOptions, HttpReply } from '../client/index.ts';

/** Answers the requests of a client without a socket, and without `Request` and `Response`, whose first use loads Node's HTTP client. */
export function embeddedFetch(app: Api): NonNullable<ClientOptions['fetch']> {
  return async (url, { method, headers, body, signal }) => {
    const { pathname, search } = new URL(url);
    const {
      statusCode,
      headers: replyHeaders,
      rawPayload,
    } = await app.inject({
      method: method as 'GET',
      url: `${pathname}${search}`,
      headers: headers as Readonly<Record<string, string>>,
      ...(body == null ? {} : { payload: Buffer.from(body as string | Uint8Array<ArrayBuffer>) }),
      ...(signal == null ? {} : { signal }),
    });
    return new EmbeddedReply(statusCode, replyHeaders, rawPayload);
  };
}

class EmbeddedReply implements HttpReply {
  readonly status: number;
  readonly headers: HttpReply['headers'];
  readonly #content: Buffer;

  constructor(status: number, headers: Readonly<Record<string, unknown>>, content: Buffer) {
    this.status = status;
    this.headers = { get: (name) => (headers[name] === undefined ? null : String(headers[name])) };
    this.#content = content;
  }

  get body(): HttpReply['body'] {
    return new Response(new Uint8Array(this.#content)).body;
  }

  async text(): Promise<string> {
    return this.#content.toString('utf8');
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.#content).buffer;
  }
}
