import { type Diagnostic, InvalidWorkflow } from '../diagnostics.ts';
import { MAX_DIAGNOSTICS, MAX_HINTS } from '../limits.ts';
import { shortened } from '../shortened.ts';

/** Longest message, hint, path and node id of a problem, in characters: all of them may quote the document. */
const MAX_TEXT = { message: 1_000, hint: 500, path: 500, nodeId: 256 } as const;

export interface ProblemLocation {
  readonly node_id?: string | null;
  readonly path?: string | null;
  readonly hint?: Hint;
}

/** A hint, or a function that searches for it and is called for the first problems only. */
export type Hint = string | null | (() => string | null);

/** Collects diagnostics: the first `MAX_DIAGNOSTICS` of each severity, and the number of the others. */
export class Problems {
  readonly #found: Diagnostic[] = [];
  readonly #counts = { error: 0, warning: 0 };
  #hintSearches = 0;

  error(code: string, message: string, location: ProblemLocation = {}): void {
    this.#add('error', code, message, location);
  }

  warning(code: string, message: string, location: ProblemLocation = {}): void {
    this.#add('warning', code, message, location);
  }

  add({ severity, code, message, ...location }: Diagnostic): void {
    this.#add(severity, code, message, location);
  }

  get failed(): boolean {
    return this.#counts.error > 0;
  }

  get all(): readonly Diagnostic[] {
    return [...this.#found, ...this.#unlisted('error'), ...this.#unlisted('warning')];
  }

  throwIfFailed(): void {
    if (this.failed) throw new InvalidWorkflow(this.all.filter((diagnostic) => diagnostic.severity === 'error'));
  }

  #add(severity: Diagnostic['severity'], code: string, message: string, { node_id, path, hint }: ProblemLocation): void {
    this.#counts[severity] += 1;
    if (this.#counts[severity] > MAX_DIAGNOSTICS) return;
    const read = typeof hint === 'function' ? this.#searchHint(hint) : (hint ?? null);
    this.#found.push({
      severity,
      code,
      node_id: shortenedOrNull(node_id, MAX_TEXT.nodeId),
      path: shortenedOrNull(path, MAX_TEXT.path),
      message: shortened(message, MAX_TEXT.message),
      hint: shortenedOrNull(read, MAX_TEXT.hint),
    });
  }

  #searchHint(hint: () => string | null): string | null {
    this.#hintSearches += 1;
    return this.#hintSearches <= MAX_HINTS ? hint() : null;
  }

  #unlisted(severity: Diagnostic['severity']): Diagnostic[] {
    const count = this.#counts[severity] - MAX_DIAGNOSTICS;
    if (count <= 0) return [];
    return [
      { severity, code: 'more_problems', node_id: null, path: null, message: `… and ${count} more ${severity}s`, hint: null },
    ];
  }
}

function shortenedOrNull(text: string | null | undefined, maxChars: number): string | null {
  return text === null || text === undefined ? null : shortened(text, maxChars);
}
