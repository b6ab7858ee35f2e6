import type { IncomingMessage } from 'node:http';
import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { WorkError } from './executor.ts';

/**
 * Reads a response to its end as text, decompressed and decoded by its charset. More than `maxBytes` (decompressed, so a
 * bomb is noticed while it unfolds) is refused, and so is an encoding that was not asked for.
 */
export async function readText(message: IncomingMessage, maxBytes: number, prefix: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decompressed(message, prefix)) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > maxBytes) {
      throw new WorkError(`${prefix}the response is larger than ${maxBytes} bytes`, {
        retryable: false,
        errorClass: 'response_too_large',
      });
    }
    chunks.push(part);
  }
  return decoderFor(message.headers['content-type']).decode(Buffer.concat(chunks));
}

function decompressed(message: IncomingMessage, prefix: string): IncomingMessage | Transform {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return message;
  const transform = decompressorFor(encoding);
  if (transform === null) {
    throw new WorkError(`${prefix}the response has an unknown content-encoding "${encoding.slice(0, 60)}"`, {
      retryable: false,
      errorClass: 'client_error',
    });
  }
  // The reader of the transform gets the error of either stream.
  return pipeline(message, transform, () => {});
}

function decompressorFor(encoding: string): Transform | null {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return null;
  }
}

function decoderFor(contentType: string | undefined): { decode(bytes: Uint8Array): string } {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder('utf-8');
  }
}
