import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Slice } from '../../runtime/scheduling/time-slices.ts';

/** Characters that are buffered before they are sent. */
const CHUNK_CHARS = 64 * 1024;

interface Chunk {
  readonly text: string;
  readonly last: boolean;
}

/**
 * Streams `{"<key>":[…], …rest}` while the items are read, so that a list of any length needs little memory, with the warnings of the
 * request at its end. A failure before the first chunk is full is thrown; a later one closes the connection.
 */
export async function sendList(
  reply: FastifyReply,
  key: string,
  items: AsyncIterable<unknown>,
  rest: object = {},
  mediaType = 'application/json',
): Promise<FastifyReply> {
  const { warnings, slice } = reply.request;
  const chunks = chunksOf(key, items, warnings === null ? rest : Object.assign({}, rest, { warnings }), slice);
  const first = await chunks.next();
  reply.type(`${mediaType}; charset=utf-8`);
  if (first.done === true) throw new Error('internal error: a list without chunks');
  return reply.send(first.value.last ? first.value.text : Readable.from(textOf(first.value, chunks), { objectMode: false }));
}

async function* chunksOf(
  key: string,
  items: AsyncIterable<unknown>,
  rest: object,
  slice: Slice | null,
): AsyncGenerator<Chunk, void, undefined> {
  let text = `{${JSON.stringify(key)}:[`;
  let separator = '';
  for await (const item of items) {
    text += separator + JSON.stringify(item);
    separator = ',';
    if (text.length >= CHUNK_CHARS) {
      yield { text, last: false };
      text = '';
    }
    // A client that reads quickly must not keep others waiting.
    await slice?.next();
  }
  const more = JSON.stringify(rest).slice(1);
  yield { text: `${text}]${more === '}' ? '' : ','}${more}`, last: true };
}

async function* textOf(first: Chunk, others: AsyncIterable<Chunk>): AsyncGenerator<string, void, undefined> {
  yield first.text;
  for await (const chunk of others) yield chunk.text;
}
