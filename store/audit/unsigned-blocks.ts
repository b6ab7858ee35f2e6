/** More ranges are counted, not listed. */
const LISTED_RANGES = 20;

/** Blocks of one chain that follow each other, none of them signed. */
export interface UnsignedRange {
  /** As in `AuditFault`. */
  readonly chain?: string;
  readonly from: number;
  readonly to: number;
}

/** Blocks without a signature where one could be checked: written without the key, or stripped of it by somebody who has no key. */
export interface UnsignedBlocks {
  readonly blocks: number;
  /** The first of them, at most twenty. */
  readonly ranges: readonly UnsignedRange[];
}

/** Collects them while a chain is walked. */
export class UnsignedCount {
  #blocks = 0;
  readonly #ranges: { chain: string | undefined; from: number; to: number }[] = [];

  add(block: number, chain?: string): void {
    this.#blocks += 1;
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.chain === chain && last.to === block - 1) last.to = block;
    else if (this.#ranges.length < LISTED_RANGES) this.#ranges.push({ chain, from: block, to: block });
  }

  /** Null = there are none. */
  get report(): UnsignedBlocks | null {
    if (this.#blocks === 0) return null;
    const ranges = this.#ranges.map(({ chain, from, to }) => ({ ...(chain === undefined ? {} : { chain }), from, to }));
    return { blocks: this.#blocks, ranges };
  }
}
