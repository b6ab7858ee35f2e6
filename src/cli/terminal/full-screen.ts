import { emitKeypressEvents } from 'node:readline';
import type { Context } from '../context.ts';

/** Of a terminal that does not tell its size. */
const ROWS = 24;
const COLUMNS = 80;

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[H\u001b[2J';
const LEAVE = '\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l';

/** A key as the terminal sends it. */
export interface Key {
  /** `up`, `return`, `escape`, `a`; '' where there is no name. */
  readonly name: string;
  /** What it writes; '' for keys that write nothing. */
  readonly text: string;
  readonly ctrl: boolean;
}

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface FullScreenEvents {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
  /** Nobody will press a key any more. */
  readonly onEnd: () => void;
}

interface Keypress {
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** The whole terminal: the alternate screen, no cursor, keys as they are pressed. `close` gives it back as it was. */
export class FullScreen {
  readonly #stdin: Context['stdin'];
  readonly #stdout: Context['stdout'];
  readonly #events: FullScreenEvents;
  #shown: readonly string[] = [];
  #pasting = false;
  readonly #onKeypress = (text: string | undefined, key: Keypress) => this.#press(text ?? '', key);
  readonly #onResize = () => {
    // What the terminal made of the old lines is unknown.
    this.#shown = [];
    this.#stdout.write('\u001b[2J');
    this.#events.onResize();
  };

  constructor({ stdin, stdout }: Pick<Context, 'stdin' | 'stdout'>, events: FullScreenEvents) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#events = events;
    stdout.write(ENTER);
    stdin.setRawMode?.(true);
    emitKeypressEvents(stdin);
    stdin.on('keypress', this.#onKeypress);
    stdin.on('end', events.onEnd);
    stdout.on('resize', this.#onResize);
    stdin.resume();
  }

  get size(): Size {
    return { rows: Math.max(1, this.#stdout.rows ?? ROWS), columns: Math.max(1, this.#stdout.columns ?? COLUMNS) };
  }

  /** Shows these lines from the top, each within the columns. Only what has changed is written: a line may be slow. */
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
    this.#stdin.off('keypress', this.#onKeypress);
    this.#stdin.off('end', this.#events.onEnd);
    this.#stdout.off('resize', this.#onResize);
    this.#stdin.setRawMode?.(false);
    this.#stdin.pause();
    this.#stdout.write(LEAVE);
  }

  /** What is pasted is text alone: a newline or a letter in it is no command. */
  #press(text: string, key: Keypress): void {
    if (key.name === 'paste-start' || key.name === 'paste-end') {
      this.#pasting = key.name === 'paste-start';
      return;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is kept out
    const written = (this.#pasting ? text.replace(/[\r\n\t]/g, ' ') : text).replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
    const printable = key.ctrl === true || key.meta === true ? '' : written;
    if (this.#pasting) this.#events.onKey({ name: '', text: written, ctrl: false });
    else this.#events.onKey({ name: key.name ?? '', text: printable, ctrl: key.ctrl === true });
  }
}
