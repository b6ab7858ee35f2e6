/**
 * The chunks of a body as they arrive. A body that is not read to its end is cancelled. (Not every browser can iterate a stream.) The body is
 * locked at once, not when the first chunk is asked for: Node ends a body that has no reader when it collects its response.
 */
export function chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  return read(body.getReader());
}

async function* read(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isRead = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isRead = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    isRead = true;
    throw error;
  } finally {
    // A broken stream rejects its cancellation with the error that is already on its way to the caller.
    if (!isRead) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}
