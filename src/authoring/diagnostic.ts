import type { Diagnostic } from '../../machines/diagnostics.ts';
import { MAX_DIAGNOSTICS } from '../../machines/limits.ts';

/** Messages quote what the author wrote, however long it is. */
const MAX_MESSAGE = 400;

/** A problem in a workflow file, at the place where the author can mend it. */
export interface AuthoringDiagnostic extends Diagnostic {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Context {
  readonly node_id?: string | null;
  readonly path?: string | null;
  readonly hint?: string | null;
}

/** Nothing can be made of the file: reading stops here. */
export class UnreadableFile extends Error {
  readonly code: string;
  /** Offset in the text. */
  readonly at: number;
  readonly hint: string | null;

  constructor(code: string, message: string, at: number, hint: string | null = null) {
    super(message);
    this.name = 'Unreadable';
    this.code = code;
    this.at = at;
    this.hint = hint;
  }
}

/** Gathers what is wrong with one file, so that an author learns of every problem at once. */
export class Findings {
  readonly #file: string;
  readonly #positionOf: (offset: number) => Position;
  readonly #found = new Map<string, AuthoringDiagnostic>();
  #errors = 0;

  constructor(file: string, positionOf: (offset: number) => Position) {
    this.#file = file;
    this.#positionOf = positionOf;
  }

  error(code: string, message: string, at: number, context: Context = {}): void {
    this.#errors += 1;
    this.#add('error', code, message, at, context);
  }

  warning(code: string, message: string, at: number, context: Context = {}): void {
    this.#add('warning', code, message, at, context);
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** The lines with an error on them. */
  get failedLines(): ReadonlySet<number> {
    return new Set([...this.#found.values()].flatMap(({ severity, line }) => (severity === 'error' ? [line] : [])));
  }

  positionOf(at: number): Position {
    return this.#positionOf(at);
  }

  lineOf(at: number): number {
    return this.#positionOf(at).line;
  }

  /** From the top of the file to its end. */
  get all(): readonly AuthoringDiagnostic[] {
    const sorted = [...this.#found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
    if (sorted.length <= MAX_DIAGNOSTICS) return sorted;
    const listed = sorted.slice(0, MAX_DIAGNOSTICS);
    const last = sorted[MAX_DIAGNOSTICS] ?? null;
    const rest = sorted.length - MAX_DIAGNOSTICS;
    const severity = this.failed ? 'error' : 'warning';
    return last === null
      ? listed
      : [...listed, { ...last, severity, code: 'more_problems', message: `… and ${rest} more problems`, hint: null }];
  }

  #add(severity: 'error' | 'warning', code: string, message: string, at: number, context: Context): void {
    const { line, column } = this.#positionOf(at);
    // An anchor used ten times is read ten times, but wrong only once.
    this.#found.set(`${line}:${column}:${code}:${message}`, {
      severity,
      code,
      node_id: context.node_id ?? null,
      path: context.path ?? null,
      message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message,
      hint: context.hint ?? null,
      file: this.#file,
      line,
      column,
    });
  }
}
