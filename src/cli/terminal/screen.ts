import { createInterface, type Interface } from 'node:readline';
import type { Input, Output } from '../context.ts';
import { dimensionsOf } from './dimensions.ts';

export const SPINNER_FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

/** Lines of the animated part, computed for each frame. */
export type Activity = (spinner: string, nowMs: number) => readonly string[];

/**
 * Prints lines and, on a terminal, an animated part or a question below them; new lines are inserted above. Without a terminal, only lines
 * are printed.
 */
export class Screen {
  readonly #stream: Output;
  readonly #input: Input;
  readonly #tty: boolean;
  #activity: Activity | null = null;
  #ticker: NodeJS.Timeout | null = null;
  #drawn = 0;
  #frame = 0;
  #question: Interface | null = null;

  constructor(stream: Output, input: Input) {
    this.#stream = stream;
    this.#input = input;
    this.#tty = stream.isTTY === true;
  }

  /** Whether there is an animated part. */
  get animated(): boolean {
    return this.#tty;
  }

  get columns(): number {
    return dimensionsOf(this.#stream).columns;
  }

  /** Whether questions can be asked. */
  get interactive(): boolean {
    return this.#tty && this.#input.isTTY === true;
  }

  print(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
    if (this.#question === null) this.#draw();
    else this.#question.prompt(true);
  }

  /** Sets the animated part; null removes it. */
  show(activity: Activity | null): void {
    this.#activity = activity;
    if (!this.#tty) return;
    if (activity === null && this.#ticker !== null) {
      clearInterval(this.#ticker);
      this.#ticker = null;
    } else if (activity !== null && this.#ticker === null) {
      this.#ticker = setInterval(() => this.#tick(), FRAME_MS);
      this.#ticker.unref();
    }
    if (this.#question !== null) return;
    this.#erase();
    this.#draw();
  }

  /** Resolves to the typed line; null if the signal is aborted or the input ends. Ctrl-C calls `interrupted`. */
  async ask(
    question: string,
    options: { readonly signal: AbortSignal; readonly interrupted: () => void },
  ): Promise<string | null> {
    if (options.signal.aborted) return null;
    this.#erase();
    const reader = createInterface({
      input: this.#input,
      output: this.#stream,
      prompt: question,
      terminal: this.#tty,
      historySize: 0,
    });
    this.#question = reader;
    const close = () => reader.close();
    options.signal.addEventListener('abort', close, { once: true });
    const answer = await new Promise<string | null>((resolve) => {
      reader.once('line', resolve);
      reader.once('close', () => resolve(null));
      reader.once('SIGINT', options.interrupted);
      reader.prompt();
    });
    options.signal.removeEventListener('abort', close);
    reader.close();
    this.#question = null;
    if (answer === null) this.#stream.write('\n');
    return answer;
  }

  /** Removes the animated part. */
  close(): void {
    this.show(null);
  }

  #tick(): void {
    this.#frame = (this.#frame + 1) % SPINNER_FRAMES.length;
    if (this.#question !== null) return;
    this.#erase();
    this.#draw();
  }

  #draw(): void {
    if (!this.#tty || this.#activity === null) return;
    const lines = this.#activity(SPINNER_FRAMES[this.#frame] ?? '', Date.now());
    if (lines.length === 0) return;
    // With wrapping off, each line is one row, so the number of rows to erase is known.
    this.#stream.write(`\u001b[?7l${lines.join('\n')}\n\u001b[?7h`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#question !== null) this.#stream.write('\r\u001b[J');
    else if (this.#drawn > 0) this.#stream.write(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }
}
