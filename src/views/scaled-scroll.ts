/** Browsers limit the height of an element; the smallest limit among the common ones is about 17 million pixels. */
const MAX_HEIGHT_PX = 10_000_000;
/** A larger change of the scroll position within one event is a jump: the bar was dragged. */
const MIN_JUMP_PX = 3_000;

export interface Extent {
  readonly rows: number;
  readonly rowHeight: number;
  /** Height of the visible part of the list. */
  readonly viewport: number;
}

/**
 * The scroll position in a list of any length, in an element of bounded height. While the list is higher than the element may be, small movements
 * move the list by as much, and jumps in proportion. All lengths are pixels. Where a method returns a number, the element must be scrolled there.
 *
 * @example
 * const scroll = new ScaledScroll();
 * scroll.resize({ rows: 1_000_000, rowHeight: 36, viewport: 700 });
 * const to = scroll.scrolled(element.scrollTop);
 * if (to !== null) element.scrollTop = to;
 * row.style.top = `${scroll.topOf(rank)}px`;
 */
export class ScaledScroll {
  #extent: Extent = { rows: 0, rowHeight: 1, viewport: 0 };
  /** Position in the list. */
  #top = 0;
  /** Position of the element. */
  #native = 0;
  #isJumping = false;

  /** Height of the element that stands for the whole list. */
  get height(): number {
    return Math.min(this.#fullHeight, MAX_HEIGHT_PX);
  }

  get isAtTop(): boolean {
    return this.#top < this.#extent.rowHeight / 2;
  }

  /** The ranks of the rows that are visible, at least in part; `end` is exclusive. */
  get visible(): { readonly first: number; readonly end: number } {
    const { rows, rowHeight, viewport } = this.#extent;
    const first = Math.min(Math.floor(this.#top / rowHeight), Math.max(0, rows - 1));
    return { first, end: Math.min(rows, Math.ceil((this.#top + viewport) / rowHeight)) };
  }

  /** Where a row stands in the element. */
  topOf(rank: number): number {
    // Rounded, so that the rows stay as they are while the element scrolls.
    return Math.round(rank * this.#extent.rowHeight - (this.#top - this.#native));
  }

  /** The list has another extent. The row at the top stays there. */
  resize(extent: Extent): number | null {
    const rank = this.#top / this.#extent.rowHeight;
    this.#extent = extent;
    return this.moveTo(rank * extent.rowHeight);
  }

  /** The element was scrolled. */
  scrolled(native: number): number | null {
    const change = native - this.#native;
    this.#native = native;
    const maxNative = this.#maxNative;
    if (this.#maxTop === maxNative) {
      this.#top = clamp(native, maxNative);
      return null;
    }
    // A jump lasts until the scrolling ends: near its target, the bar is dragged by few pixels.
    this.#isJumping ||= Math.abs(change) > Math.max(MIN_JUMP_PX, 3 * this.#extent.viewport);
    if (this.#isJumping) {
      this.#top = maxNative === 0 ? 0 : (clamp(native, maxNative) / maxNative) * this.#maxTop;
      return null;
    }
    this.#top = clamp(this.#top + change, this.#maxTop);
    const isAtEnd = native <= 0 || native >= maxNative || this.#top === 0 || this.#top === this.#maxTop;
    return isAtEnd ? this.#recentre() : null;
  }

  /** The scrolling has ended. */
  rested(): number | null {
    this.#isJumping = false;
    return this.#recentre();
  }

  /** Moves the list by rows, for example when rows above the visible ones are gone. */
  moveBy(rows: number): number | null {
    return this.moveTo(this.#top + rows * this.#extent.rowHeight);
  }

  moveTo(top: number): number | null {
    this.#top = clamp(top, this.#maxTop);
    return this.#recentre();
  }

  /** Moves as little as possible so that the row is visible as a whole. */
  reveal(rank: number): number | null {
    const { rowHeight, viewport } = this.#extent;
    const top = rank * rowHeight;
    if (top < this.#top) return this.moveTo(top);
    if (top + rowHeight > this.#top + viewport) return this.moveTo(top + rowHeight - viewport);
    return null;
  }

  get #fullHeight(): number {
    return this.#extent.rows * this.#extent.rowHeight;
  }

  get #maxTop(): number {
    return Math.max(0, this.#fullHeight - this.#extent.viewport);
  }

  get #maxNative(): number {
    return Math.max(0, this.height - this.#extent.viewport);
  }

  /** Gives the element the position that is in proportion to that in the list. */
  #recentre(): number | null {
    const maxTop = this.#maxTop;
    const native = Math.round(maxTop === 0 ? 0 : (this.#top / maxTop) * this.#maxNative);
    // Unscaled, both are the same.
    if (this.#fullHeight <= MAX_HEIGHT_PX) this.#top = native;
    if (native === this.#native) return null;
    this.#native = native;
    return native;
  }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(value, max));
}
