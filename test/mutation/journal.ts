import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

/** What a test needs without a mutant. */
export interface Cost {
  /** Evaluations of mutants and rounds of loops. */
  readonly rounds: number;
  readonly cpuMs: number;
  readonly idleMs: number;
}

/** What the process of the tests reports; written at once, so that nothing is lost when a mutant ends the process. */
export type JournalEntry =
  | { readonly type: 'file'; readonly file: string }
  /** Mutants that are evaluated before the first test of a file: while modules are loaded, or by hooks. */
  | { readonly type: 'loaded'; readonly mutants: readonly number[] }
  /** A test without a mutant. */
  | {
      readonly type: 'covered';
      readonly file: string;
      readonly test: string;
      readonly mutants: readonly number[];
      readonly cost: Cost;
      readonly error: string | null;
    }
  | { readonly type: 'begun'; readonly mutant: number; readonly test: string }
  | { readonly type: 'passed'; readonly mutant: number; readonly test: string }
  | { readonly type: 'failed'; readonly mutant: number; readonly test: string; readonly error: string }
  /** The test that has just failed with a mutant fails without it, too: this mutant, or one before, left something behind. */
  | { readonly type: 'spoilt'; readonly mutant: number; readonly test: string };

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
