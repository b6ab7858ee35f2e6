import { hash } from 'node:crypto';

/** How far a chain goes. */
export interface ChainHead {
  /** The writer, or where it came from. */
  readonly chain: string;
  readonly block: number;
  readonly hash: string;
}

/** One hash for several chains: kept elsewhere, it proves later that nothing before it was rewritten. In order of their names. */
export function combinedHead(heads: readonly ChainHead[]): string {
  return hash('sha256', JSON.stringify(heads.map(({ chain, block, hash: last }) => [chain, block, last])), 'base64url');
}
