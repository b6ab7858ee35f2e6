import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../port/errors.ts';
import { asStoreError } from './errors.ts';

/** With less, the next large commit would fail again. */
const ENOUGH_BYTES = 1024 * 1024;

/**
 * Remembers that a transaction failed because the disk was full, until there is space again: a small write may fit into space that SQLite has
 * reserved while larger ones still fail.
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
