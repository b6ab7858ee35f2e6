import type { Context } from '../context.ts';
import { type Dimensions, dimensionsOf } from './dimensions.ts';
import { type Key, Keyboard } from './keyboard.ts';

const ENTER_SEQUENCE = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[H\u001b[2J';
const LEAVE_SEQUENCE = '\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l';

export interface FullScreenEvents {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
  /** Standard input has ended. */
  readonly onEnd: () => void;
}

/** The alternate screen of the terminal, without cursor, in raw mode. `close` restores the terminal. */
export class FullScreen {
  readonly #stdin: Context['stdin'];
  readonly #stdout: Context['stdout'];
  readonly #events: FullScreenEvents;
  #shown: readonly string[] = [];
  readonly #keyboard: Keyboard;
  readonly #onData = (piece: Uint8Array | string) => this.#keyboard.write(piece);
  readonly #onResize = () => {
    // The terminal may have reflowed the old lines: draw all again.
    this.#shown = [];
    this.#stdout.write('\u001b[2J');
    this.#events.onResize();
  };

  constructor({ stdin, stdout }: Pick<Context, 'stdin' | 'stdout'>, events: FullScreenEvents) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#events = events;
    this.#keyboard = new Keyboard(events.onKey);
    stdout.write(ENTER_SEQUENCE);
    stdin.setRawMode?.(true);
    stdin.on('data', this.#onData);
    stdin.on('end', events.onEnd);
    stdout.on('resize', this.#onResize);
    stdin.resume();
  }

  get dimensions(): Dimensions {
    return dimensionsOf(this.#stdout);
  }

  /** Draws the lines, each at most `columns` wide. Only changed lines are written, because a terminal may be on a slow connection. */
  draw(lines: readonly string[]): void {
    let out = '';
    for (let row = 0; row < Math.max(lines.length, this.#shown.length); row++) {
      const line = lines[row] ?? '';
      if (line !== (this.#shown[row] ?? '')) out += `\u001b[${row + 1};1H${line}\u001b[K`;
    }
    this.#shown = lines;
    if (out !== '') this.#stdout.write(out);
  }

  close(): void {
    this.#stdin.off('data', this.#onData);
    this.#keyboard.close();
    this.#stdin.off('end', this.#events.onEnd);
    this.#stdout.off('resize', this.#onResize);
    this.#stdin.setRawMode?.(false);
    this.#stdin.pause();
    this.#stdout.write(LEAVE_SEQUENCE);
  }
}
