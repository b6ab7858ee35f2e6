import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../port/errors.ts';
import { asStoreError } from './errors.ts';

/** With less, the next large commit meets a full disk again. */
const ENOUGH_BYTES = 1024 * 1024;

/**
 * Whether the disk is still full that a transaction has found to be: a small write may fit into what SQLite has reserved while nothing else
 * does.
 */
export class DiskSpace {
  readonly #folder: string;
  #full = false;

  constructor(path: string) {
    this.#folder = dirname(path);
  }

  failed(error: unknown): void {
    const found = asStoreError(error);
    if (found instanceof StoreError && found.code === 'store_full') this.#full = true;
  }

  /** Throws `store_full`. */
  check(): void {
    if (!this.#full) return;
    const { bavail, bsize } = statfsSync(this.#folder);
    if (bavail * bsize < ENOUGH_BYTES) throw new StoreError('store_full', 'the disk is full: free some space');
    this.#full = false;
  }
}
