import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Streams lines of JSON, so that any number of them needs little memory. A failure before the first line is thrown; a later one closes the
 * connection.
 */
export async function sendLines(reply: FastifyReply, lines: AsyncIterable<string>): Promise<FastifyReply> {
  const rest = lines[Symbol.asyncIterator]();
  const first = await rest.next();
  reply.type('application/x-ndjson; charset=utf-8');
  return reply.send(Readable.from(all(first, rest), { objectMode: false }));
}

async function* all(first: IteratorResult<string>, rest: AsyncIterator<string>): AsyncGenerator<string, void, undefined> {
  try {
    for (let line = first; line.done !== true; line = await rest.next()) yield line.value;
  } finally {
    await rest.return?.();
  }
}
