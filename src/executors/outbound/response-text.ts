import type { IncomingMessage } from 'node:http';
import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';

/**
 * Reads a whole response as text, decompressed and decoded by its charset. Rejects when it exceeds `maxBytes`, counted while it is
 * decompressed (so that a decompression bomb is stopped), and for an encoding that was not requested.
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
    throw new WorkError(`${prefix}the response has an unknown content-encoding "${shortened(encoding, 60)}"`, {
      retryable: false,
      errorClass: 'client_error',
    });
  }
  // An error of either stream reaches the reader of the transform.
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
