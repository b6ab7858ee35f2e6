import { emitKeypressEvents } from 'node:readline';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const ESCAPE = '\u001b';
/** So long may a sequence rest after its Esc before it goes on; then it was the key. */
const ESCAPE_TIMEOUT_MS = 50;

/** A key as the terminal sends it. */
export interface Key {
  /** `up`, `return`, `escape`, `a`; '' where there is no name. */
  readonly name: string;
  /** What it writes; '' for keys that write nothing. */
  readonly text: string;
  readonly ctrl: boolean;
}

interface Keypress {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/**
 * Keys from what a terminal sends, in whatever pieces it arrives. Node's own decoder takes Esc and what is pressed within half a second for
 * one key with Alt. Here an Esc that ends a piece is the key Esc, unless the next piece comes at once and goes on as sequences do (`[`, `O`);
 * with Alt is what comes in one piece with its Esc.
 */
export class Keyboard {
  readonly #onKey: (key: Key) => void;
  readonly #bytes = new StringDecoder('utf8');
  readonly #decoder = new Readable({ read: () => {} });
  #pendingEscape: NodeJS.Timeout | null = null;
  #pasting = false;

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey;
    emitKeypressEvents(this.#decoder);
    this.#decoder.on('keypress', (text: string | undefined, key: Keypress) => this.#press(text ?? '', key));
  }

  /** Calls `onKey` before it returns, for each key that is complete. */
  write(piece: Uint8Array | string): void {
    const text = this.#bytes.write(piece);
    if (text === '') return;
    const continuesSequence = /^[[O]/.test(text);
    const hadEscape = this.#takePendingEscape();
    if (hadEscape && !continuesSequence) this.#escape();
    const input = hadEscape && continuesSequence ? ESCAPE + text : text;
    let end = input.length;
    while (input.endsWith(ESCAPE, end)) end--;
    // Given as if it were read: that is what the decoder listens to.
    if (end > 0) this.#decoder.emit('data', input.slice(0, end));
    for (let at = end + 1; at < input.length; at++) this.#escape();
    if (end < input.length)
      this.#pendingEscape = setTimeout(() => this.#takePendingEscape() && this.#escape(), ESCAPE_TIMEOUT_MS);
  }

  /** An Esc that may have gone on is forgotten. */
  close(): void {
    this.#takePendingEscape();
    this.#decoder.destroy();
  }

  /** Was there an Esc that may go on? There is none any more. */
  #takePendingEscape(): boolean {
    if (this.#pendingEscape === null) return false;
    clearTimeout(this.#pendingEscape);
    this.#pendingEscape = null;
    return true;
  }

  #escape(): void {
    this.#press('', { name: 'escape' });
  }

  /** What is pasted is text alone: a newline or a letter in it is no command. */
  #press(text: string, { name = '', ctrl = false, meta = false }: Keypress): void {
    if (name === 'paste-start' || name === 'paste-end') {
      this.#pasting = name === 'paste-start';
      return;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is kept out
    const written = (this.#pasting ? text.replace(/[\r\n\t]/g, ' ') : text).replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
    if (this.#pasting) this.#onKey({ name: '', text: written, ctrl: false });
    else this.#onKey({ name, text: ctrl || meta ? '' : written, ctrl });
  }
}
