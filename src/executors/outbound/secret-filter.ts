import { Transform, type TransformCallback } from 'node:stream';
import { MASKED, MIN_SECRET_LENGTH } from '../secrets.ts';

/** Takes secrets out of bytes that come in parts: of a response whose server repeats the credentials that it was sent. */
export class SecretFilter {
  /** As bytes, each of which is one character, the longest first. */
  readonly #secrets: readonly string[];
  /** The end of what has come, if a secret may begin with it. */
  #held = '';

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets
      .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
      .map((secret) => Buffer.from(secret).toString('latin1'))
      .sort((a, b) => b.length - a.length);
  }

  /** What may be passed on after a further part. */
  take(part: Uint8Array): Buffer {
    const given = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
    const text = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, MASKED), this.#held + given);
    const kept = text.length - this.#beginningAtEndOf(text);
    this.#held = text.slice(kept);
    return Buffer.from(text.slice(0, kept), 'latin1');
  }

  /** The rest, after the last part. */
  end(): Buffer {
    return Buffer.from(this.#held, 'latin1');
  }

  /** Length of the longest end of the text with which a secret begins. */
  #beginningAtEndOf(text: string): number {
    const longest = Math.min((this.#secrets[0]?.length ?? 1) - 1, text.length);
    for (let length = longest; length > 0; length -= 1) {
      const end = text.slice(-length);
      if (this.#secrets.some((secret) => secret.startsWith(end))) return length;
    }
    return 0;
  }
}

export class WithoutSecrets extends Transform {
  readonly #filter: SecretFilter;

  constructor(secrets: readonly string[]) {
    super();
    this.#filter = new SecretFilter(secrets);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, this.#filter.take(chunk));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#filter.end());
  }
}
