import { combinedHead } from './chain-heads.ts';
import { ExportFaultError } from './export-fault.ts';
import type { BlockLine, ChainLine, HeaderLine, HeadsLine } from './format.ts';

/** The name used where all writers extend one chain. */
const ONLY = '';

interface Tail {
  readonly block: number;
  readonly hash: string;
}

/** Follows the chains of an exported log. */
export class ExportedChains {
  readonly #one: boolean;
  readonly #fromBlock: number;
  readonly #tails = new Map<string, Tail>();
  /** Position of the last block. */
  #last: number;
  /** The chain whose first block must come next. */
  #started: string | null = null;
  #combinedHead: string | null = null;

  constructor(header: HeaderLine) {
    const { from_block: fromBlock } = header;
    this.#one = 'previous' in header;
    this.#fromBlock = fromBlock;
    this.#last = fromBlock - 1;
    if (!('previous' in header)) return;
    const { previous, chain_id: id } = header;
    if (typeof previous !== 'string') throw new ExportFaultError('format');
    if (fromBlock === 1 && previous !== id) throw new ExportFaultError('block_hash');
    this.#tails.set(ONLY, { block: fromBlock - 1, hash: previous });
  }

  /** Position of the last valid block. */
  get last(): number {
    return this.#last;
  }

  /** Null before the heads of all chains were read. */
  get head(): string | null {
    return this.#one ? (this.#tails.get(ONLY)?.hash ?? null) : this.#combinedHead;
  }

  begin({ chain, chain_id: id, block, hash }: ChainLine): void {
    const isNew = !this.#one && this.#combinedHead === null && this.#started === null && !this.#tails.has(chain);
    if (!isNew || typeof chain !== 'string' || typeof hash !== 'string') throw new ExportFaultError('format');
    if (this.#fromBlock === 1 && block !== 0) throw new ExportFaultError('missing_block');
    if (block === 0 && hash !== id) throw new ExportFaultError('block_hash');
    this.#tails.set(chain, { block, hash });
    this.#started = chain;
  }

  /** The hash of the block before this one. */
  before({ block, writer, chain: named = writer, position }: BlockLine): string {
    if (this.#combinedHead !== null || (position === undefined) !== this.#one) throw new ExportFaultError('format');
    const chain = this.#one ? ONLY : named;
    const tail = this.#tails.get(chain);
    if (tail === undefined || (this.#started !== null && this.#started !== chain)) throw new ExportFaultError('format');
    if (block !== tail.block + 1 || (position !== undefined && position <= this.#last))
      throw new ExportFaultError('missing_block');
    this.#started = null;
    return tail.hash;
  }

  /** The block is valid. */
  advance({ chain, block, hash, position }: { readonly chain: string; readonly position: number } & Tail): void {
    this.#tails.set(this.#one ? ONLY : chain, { block, hash });
    this.#last = position;
  }

  /** Each chain must end where the heads say; in an export from the first block, all chains must be in the file. */
  end({ heads }: HeadsLine): void {
    if (this.#one || this.#combinedHead !== null || this.#started !== null) throw new ExportFaultError('format');
    const ends = new Map(heads.map(([chain, block, hash]) => [chain, { block, hash }]));
    for (const [chain, tail] of this.#tails) {
      const head = ends.get(chain);
      if (head?.block !== tail.block || head.hash !== tail.hash) throw new ExportFaultError('missing_block');
    }
    if (this.#fromBlock === 1 && ends.size !== this.#tails.size) throw new ExportFaultError('missing_block');
    this.#combinedHead = combinedHead(heads.map(([chain, block, hash]) => ({ chain, block, hash })));
  }
}
