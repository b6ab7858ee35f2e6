import { emitKeypressEvents } from 'node:readline';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const ESCAPE = '\u001b';
/** Time after which an Esc without a following sequence is the Esc key. */
const ESCAPE_TIMEOUT_MS = 50;

/** A key press. */
export interface Key {
  /** `up`, `return`, `escape`, `a`; '' without a name. */
  readonly name: string;
  /** The typed text; '' for keys without text. */
  readonly text: string;
  readonly ctrl: boolean;
}

interface Keypress {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/**
 * Decodes keys from terminal input, in chunks of any size. Node's decoder reads Esc and a key pressed within half a second as one key with
 * Alt. Here, an Esc at the end of a chunk is the Esc key unless the next chunk follows within `ESCAPE_TIMEOUT_MS` and continues a sequence
 * (`[`, `O`). Only an Esc in the same chunk as the key means Alt.
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

  /** Calls `onKey` synchronously for each complete key. */
  write(piece: Uint8Array | string): void {
    const text = this.#bytes.write(piece);
    if (text === '') return;
    const continuesSequence = /^[[O]/.test(text);
    const hadEscape = this.#takePendingEscape();
    if (hadEscape && !continuesSequence) this.#escape();
    const input = hadEscape && continuesSequence ? ESCAPE + text : text;
    let end = input.length;
    while (input.endsWith(ESCAPE, end)) end--;
    // Node's decoder listens for 'data' events of the stream.
    if (end > 0) this.#decoder.emit('data', input.slice(0, end));
    for (let at = end + 1; at < input.length; at++) this.#escape();
    if (end < input.length)
      this.#pendingEscape = setTimeout(() => this.#takePendingEscape() && this.#escape(), ESCAPE_TIMEOUT_MS);
  }

  /** Discards a pending Esc. */
  close(): void {
    this.#takePendingEscape();
    this.#decoder.destroy();
  }

  /** Clears a pending Esc; returns whether there was one. */
  #takePendingEscape(): boolean {
    if (this.#pendingEscape === null) return false;
    clearTimeout(this.#pendingEscape);
    this.#pendingEscape = null;
    return true;
  }

  #escape(): void {
    this.#press('', { name: 'escape' });
  }

  /** Pasted input is text only, so that its newlines and letters are not commands. */
  #press(text: string, { name = '', ctrl = false, meta = false }: Keypress): void {
    if (name === 'paste-start' || name === 'paste-end') {
      this.#pasting = name === 'paste-start';
      return;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: removes control characters
    const written = (this.#pasting ? text.replace(/[\r\n\t]/g, ' ') : text).replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
    if (this.#pasting) this.#onKey({ name: '', text: written, ctrl: false });
    else this.#onKey({ name, text: ctrl || meta ? '' : written, ctrl });
  }
}
