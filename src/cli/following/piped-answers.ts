import { createInterface } from 'node:readline';
import type { Input } from '../context.ts';

/** Answers that standard input holds, a line for each question. */
export class PipedAnswers {
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | null) => void)[] = [];
  #isClosed = false;

  constructor(input: Input) {
    if (input.readableEnded) {
      // Something else has read it, such as `--input -`.
      this.#isClosed = true;
      return;
    }
    const reader = createInterface({ input, terminal: false });
    reader.on('line', (line) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#lines.push(line);
      else next(line);
    });
    reader.once('close', () => {
      this.#isClosed = true;
      for (const next of this.#waiting.splice(0)) next(null);
    });
  }

  /** Whether all answers were taken and none will come. */
  get exhausted(): boolean {
    return this.#isClosed && this.#lines.length === 0;
  }

  /** The next line; null if there is none, or if the signal aborts first. */
  next(signal: AbortSignal): Promise<string | null> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#isClosed || signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const take = (answer: string | null): void => {
        signal.removeEventListener('abort', abort);
        resolve(answer);
      };
      const abort = (): void => {
        const at = this.#waiting.indexOf(take);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve(null);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(take);
    });
  }
}

/** Answers the questions of a `Prompter` from standard input, and prints both. */
export class PipedAsker {
  readonly #answers: PipedAnswers;
  readonly #print: (line: string) => void;

  constructor(answers: PipedAnswers, print: (line: string) => void) {
    this.#answers = answers;
    this.#print = print;
  }

  print(line: string): void {
    this.#print(line);
  }

  async ask(question: string, { signal }: { readonly signal: AbortSignal }): Promise<string | null> {
    const answer = await this.#answers.next(signal);
    if (answer !== null) this.#print(`${question}${answer}`);
    return answer;
  }
}
