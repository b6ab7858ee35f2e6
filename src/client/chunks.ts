/** The chunks of a body as they arrive. A body that is not read to its end is cancelled. (Not every browser can iterate a stream.) */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
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
