/** Further ranges are counted, not listed. */
const LISTED_RANGES = 20;

/** Consecutive unsigned blocks of one chain. */
export interface UnsignedRange {
  /** As in `AuditFault`. */
  readonly chain?: string;
  readonly from: number;
  readonly to: number;
}

/** Blocks without a signature although there is a key to check one: written without the key, or stripped of their signatures. */
export interface UnsignedBlocks {
  readonly blocks: number;
  /** The first twenty ranges. */
  readonly ranges: readonly UnsignedRange[];
}

/** Collects unsigned blocks during a verification. */
export class UnsignedCount {
  #blocks = 0;
  readonly #ranges: { chain: string | undefined; from: number; to: number }[] = [];

  add(block: number, chain?: string): void {
    this.#blocks += 1;
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.chain === chain && last.to === block - 1) last.to = block;
    else if (this.#ranges.length < LISTED_RANGES) this.#ranges.push({ chain, from: block, to: block });
  }

  /** Null = none. */
  get report(): UnsignedBlocks | null {
    if (this.#blocks === 0) return null;
    const ranges = this.#ranges.map(({ chain, from, to }) => ({ ...(chain === undefined ? {} : { chain }), from, to }));
    return { blocks: this.#blocks, ranges };
  }
}
