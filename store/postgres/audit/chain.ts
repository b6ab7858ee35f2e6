import { hashBlock, type StreamDigest, signBlock } from '../../audit/digest.ts';
import { packStreams } from '../../audit/packed-streams.ts';

/** The state of a writer's chain. */
export interface Chain {
  /** Random: the predecessor of the first block. */
  readonly id: string;
  readonly commits: number;
  /** Incremented when the outcome of a commit is resolved: commits that were sent before are rejected from then on. */
  readonly fence: number;
  readonly block: number;
  /** Hash of the last block; empty before the first. */
  readonly hash: string;
}

export interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  /** The writer's name, except for the chain of a database that was copied here. */
  readonly chain: string;
  /** Packed. */
  readonly streams: Uint8Array;
  readonly hash: string;
  readonly signature: string | null;
  /** Position among the blocks of all chains. */
  readonly position: number;
}

export interface Sealed {
  /** Rows of `SEAL`: one, or none when the commit appended to no stream. */
  readonly rows: readonly object[];
  readonly next: Chain;
}

/** The chain after a commit that appended to `streams`. */
export function seal(
  chain: Chain,
  {
    writer,
    atMs,
    streams,
    key,
  }: { writer: string; atMs: number; streams: readonly StreamDigest[]; key: string | Uint8Array | null },
): Sealed {
  const commits = chain.commits + 1;
  if (streams.length === 0) return { rows: [], next: { ...chain, commits } };
  const block = chain.block + 1;
  const hash = hashBlock(predecessor(chain), { block, atMs, writer, streams });
  const signature = key === null ? null : signBlock(key, hash);
  return {
    rows: [{ writer, block, at_ms: atMs, streams: Buffer.from(packStreams(streams)).toString('base64'), hash, signature }],
    next: { ...chain, commits, block, hash },
  };
}

export function predecessor({ id, hash }: Pick<Chain, 'id' | 'hash'>): string {
  return hash === '' ? id : hash;
}
