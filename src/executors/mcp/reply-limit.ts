import { Transform, type TransformCallback } from 'node:stream';
import { WorkError } from '../executor.ts';

/** Largest reply, in bytes: of an HTTP response, or of one message of a command. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024;
/** Messages that a server may send while one request is in progress: results, progress and logs. */
const MAX_MESSAGES = 10_000;

/** What a server may send on one connection until the next request begins. */
export class Allowance {
  #bytes = 0;
  #messages = 0;

  renew(): void {
    this.#bytes = 0;
    this.#messages = 0;
  }

  /** Whether the bytes are within the limit. */
  takeBytes(count: number): boolean {
    this.#bytes += count;
    return this.#bytes <= MAX_REPLY_BYTES;
  }

  /** Whether the message is within the limit. */
  takeMessage(): boolean {
    this.#messages += 1;
    return this.#messages <= MAX_MESSAGES;
  }
}

export function tooLarge(server: string): WorkError {
  return new WorkError(`MCP server "${server}": the reply is larger than ${MAX_REPLY_BYTES} bytes`, {
    retryable: false,
    errorClass: 'response_too_large',
  });
}

export function tooManyMessages(server: string): WorkError {
  return new WorkError(`MCP server "${server}" sent more than ${MAX_MESSAGES} messages`, {
    retryable: false,
    errorClass: 'response_too_large',
  });
}

/** Passes on a body up to the limit, and notices whether its events have ids, by which a client can resume it. */
export class LimitedBody extends Transform {
  readonly #server: string;
  readonly #allowance: Allowance;
  isResumable = false;

  constructor(server: string, allowance: Allowance) {
    super();
    this.#server = server;
    this.#allowance = allowance;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.isResumable ||= /(?:^|[\r\n])id:/.test(chunk.toString('latin1'));
    if (this.#allowance.takeBytes(chunk.length)) done(null, chunk);
    else done(tooLarge(this.#server));
  }
}
