import { hash } from 'node:crypto';

/** The last block of a chain. */
export interface ChainHead {
  /** The writer, or the database the chain was copied from. */
  readonly chain: string;
  readonly block: number;
  readonly hash: string;
}

/** One hash over several chains, in order of their names: kept elsewhere, it proves later that nothing before it was rewritten. */
export function combinedHead(heads: readonly ChainHead[]): string {
  return hash('sha256', JSON.stringify(heads.map(({ chain, block, hash: last }) => [chain, block, last])), 'base64url');
}
