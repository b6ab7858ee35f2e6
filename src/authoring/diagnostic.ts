import type { Diagnostic } from '../../machines/diagnostics.ts';
import { MAX_DIAGNOSTICS } from '../../machines/limits.ts';
import { shortened } from '../../machines/shortened.ts';

/** Messages quote the author's text and are cut at this length. */
const MAX_MESSAGE = 400;

/** A problem in a workflow file, with its position. */
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

/** Where the offsets of a file are. */
export interface Places {
  positionOf(offset: number): Position;
  /** What is one place to its author: an error there is the cause of others at the same place. */
  placeOf(offset: number): number;
  /** The path of the value there, as its author has written it; null for a text, which has lines. */
  pathOf(offset: number): string | null;
}

export interface FindingContext {
  readonly node_id?: string | null;
  readonly path?: string | null;
  readonly hint?: string | null;
}

/** The file cannot be read any further. */
export class UnreadableFile extends Error {
  readonly code: string;
  /** Offset in the text. */
  readonly offset: number;
  readonly hint: string | null;

  constructor(code: string, message: string, at: number, hint: string | null = null) {
    super(message);
    this.name = 'Unreadable';
    this.code = code;
    this.offset = at;
    this.hint = hint;
  }
}

/** Collects the problems of one file. */
export class Findings {
  readonly #file: string;
  readonly #places: Places;
  readonly #found = new Map<string, { readonly offset: number; readonly diagnostic: AuthoringDiagnostic }>();
  #errors = 0;

  constructor(file: string, places: Places) {
    this.#file = file;
    this.#places = places;
  }

  error(code: string, message: string, at: number, context: FindingContext = {}): void {
    this.#errors += 1;
    this.#add('error', code, message, at, context);
  }

  warning(code: string, message: string, at: number, context: FindingContext = {}): void {
    this.#add('warning', code, message, at, context);
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** Places that have an error. */
  get failedPlaces(): ReadonlySet<number> {
    const errors = [...this.#found.values()].filter(({ diagnostic }) => diagnostic.severity === 'error');
    return new Set(errors.map(({ offset }) => this.#places.placeOf(offset)));
  }

  positionOf(at: number): Position {
    return this.#places.positionOf(at);
  }

  placeOf(at: number): number {
    return this.#places.placeOf(at);
  }

  /** All problems from the top of the file to its end; those beyond `MAX_DIAGNOSTICS` are counted. */
  get all(): readonly AuthoringDiagnostic[] {
    const sorted = [...this.#found.values()].sort((a, b) => a.offset - b.offset).map(({ diagnostic }) => diagnostic);
    if (sorted.length <= MAX_DIAGNOSTICS) return sorted;
    const listed = sorted.slice(0, MAX_DIAGNOSTICS);
    const last = sorted[MAX_DIAGNOSTICS] ?? null;
    const rest = sorted.length - MAX_DIAGNOSTICS;
    const severity = this.failed ? 'error' : 'warning';
    return last === null
      ? listed
      : [...listed, { ...last, severity, code: 'more_problems', message: `… and ${rest} more problems`, hint: null }];
  }

  #add(severity: 'error' | 'warning', code: string, message: string, at: number, context: FindingContext): void {
    const { line, column } = this.#places.positionOf(at);
    // An anchor that is used ten times is read ten times, but reported once.
    const diagnostic = {
      severity,
      code,
      node_id: context.node_id ?? null,
      path: this.#places.pathOf(at) ?? context.path ?? null,
      message: shortened(message, MAX_MESSAGE),
      hint: context.hint ?? null,
      file: this.#file,
      line,
      column,
    };
    this.#found.set(`${at}:${code}:${message}`, { offset: at, diagnostic });
  }
}
