import { hashBlock, packStreams, type StreamDigest, signBlock } from '../../audit/digest.ts';

/** Where a writer's chain stands. */
export interface Chain {
  /** Random: the predecessor of the first block. */
  readonly id: string;
  readonly commits: number;
  /** How often the fate of a commit was asked for: one that was sent before is refused from then on. */
  readonly fence: number;
  readonly block: number;
  /** Of the last block; empty before the first. */
  readonly hash: string;
}

export interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  /** The writer's name, but for the chain of a database that was copied here. */
  readonly chain: string;
  /** Packed. */
  readonly streams: string;
  readonly hash: string;
  readonly signature: string | null;
  /** Among the blocks of all chains. */
  readonly position: number;
}

export interface Sealed {
  /** Rows of `SEAL`: one, or none when no stream was touched. */
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
    rows: [{ writer, block, at_ms: atMs, streams: packStreams(streams), hash, signature }],
    next: { ...chain, commits, block, hash },
  };
}

export function predecessor({ id, hash }: Pick<Chain, 'id' | 'hash'>): string {
  return hash === '' ? id : hash;
}
