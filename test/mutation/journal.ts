import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

/** What the process of the tests reports; written at once, so that nothing is lost when a mutant ends the process. */
export type JournalEntry =
  | { readonly type: 'file'; readonly file: string }
  /** Mutants that are evaluated before the first test of a file: while modules are loaded. */
  | { readonly type: 'loaded'; readonly mutants: readonly number[] }
  /** The test is too expensive for this run. */
  | { readonly type: 'expensive'; readonly file: string }
  | { readonly type: 'begun'; readonly mutant: number; readonly test: string }
  | { readonly type: 'passed'; readonly mutant: number }
  | { readonly type: 'failed'; readonly mutant: number; readonly test: string; readonly error: string }
  /** The test fails without any mutant. */
  | { readonly type: 'broken'; readonly file: string; readonly test: string; readonly error: string }
  /** The test fails without a mutant, too: the last one left something behind. */
  | { readonly type: 'spoilt'; readonly mutant: number };

export class Journal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  clear(): void {
    writeFileSync(this.#path, '');
  }

  write(entry: JournalEntry): void {
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }

  read(): readonly JournalEntry[] {
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalEntry);
  }
}
