import type { Database, Statement } from 'better-sqlite3';
import { hashBlock, type StreamDigest, signBlock } from '../../audit/digest.ts';
import { packStreams } from '../../audit/packed-streams.ts';
import { CHAIN_ID, CHAIN_TAIL, CLOSE_BLOCK } from '../queries/audit.ts';

export interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  /** Packed. */
  readonly streams: Uint8Array;
  readonly hash: string;
  readonly signature: string | null;
}

interface ChainTail {
  readonly block: number;
  readonly hash: string;
}

/** Extends the database's audit chain. */
export class AuditChain {
  /** The runtime or command whose commits the next blocks seal. */
  writer: string;
  readonly #key: string | Uint8Array | null;
  readonly #id: string;
  readonly #tail: Statement<[], ChainTail>;
  readonly #close: Statement;

  constructor(db: Database, writer: string, key: string | Uint8Array | null) {
    this.writer = writer;
    this.#key = key;
    this.#id = chainId(db);
    this.#tail = db.prepare<[], ChainTail>(CHAIN_TAIL);
    this.#close = db.prepare(CLOSE_BLOCK);
  }

  /** Call within the transaction that writes the sealed rows, so that the tail cannot move before the commit. */
  closeBlock(atMs: number, streams: readonly StreamDigest[]): void {
    const tail = this.#tail.get() ?? { block: 0, hash: this.#id };
    const block = { block: tail.block + 1, atMs, writer: this.writer, streams };
    const hash = hashBlock(tail.hash, block);
    const signature = this.#key === null ? null : signBlock(this.#key, hash);
    this.#close.run(block.block, atMs, this.writer, packStreams(streams), hash, signature);
  }
}

/** Random, created with the database: the predecessor of the first block. */
export function chainId(db: Database): string {
  return db.prepare<[], string>(CHAIN_ID).pluck().get() ?? '';
}
