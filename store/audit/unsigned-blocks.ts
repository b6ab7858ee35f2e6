import type { UnsignedBlocks } from '../port/resources/audit.ts';

/** Further ranges are counted, not listed. */
const LISTED_RANGES = 20;

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
