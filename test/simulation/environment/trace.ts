import { createHash } from 'node:crypto';

/** The trace of a simulation; its digest is computed even if the lines are not kept. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #lines: string[] | null;
  #count = 0;

  constructor(keep: boolean) {
    this.#lines = keep ? [] : null;
  }

  add(line: string): void {
    this.#count += 1;
    this.#hash.update(line);
    this.#hash.update('\n');
    this.#lines?.push(line);
  }

  get count(): number {
    return this.#count;
  }

  /** Empty unless the lines are kept. */
  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
