import type { Readable } from 'node:stream';

/**
 * A body as the `Response` of an SDK takes it. Unlike `Readable.toWeb`, it passes nothing on after its reader has cancelled: there, a chunk
 * that is still in the buffer would be an uncaught exception, which ends the process.
 */
export function webBody(body: Readable): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    cancel() {
      body.destroy();
    },
  });
}
