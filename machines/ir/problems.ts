import { type Diagnostic, InvalidWorkflow } from '../diagnostics.ts';
import { MAX_DIAGNOSTICS } from '../limits.ts';

export interface Place {
  readonly node_id?: string | null;
  readonly path?: string | null;
  readonly hint?: string | null;
}

/** Gathers diagnostics, so that an author learns of every problem at once. */
export class Problems {
  readonly #found: Diagnostic[] = [];
  #errors = 0;
  #unlisted = 0;

  error(code: string, message: string, place: Place = {}): void {
    this.#errors += 1;
    this.#add({ severity: 'error', code, message, ...where(place) });
  }

  warning(code: string, message: string, place: Place = {}): void {
    this.#add({ severity: 'warning', code, message, ...where(place) });
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  get all(): readonly Diagnostic[] {
    if (this.#unlisted === 0) return this.#found;
    const message = `… and ${this.#unlisted} more problems`;
    return [...this.#found, { severity: this.failed ? 'error' : 'warning', code: 'more_problems', message, ...where({}) }];
  }

  throwIfFailed(): void {
    if (this.failed) throw new InvalidWorkflow(this.all.filter((d) => d.severity === 'error'));
  }

  #add(diagnostic: Diagnostic): void {
    if (this.#found.length < MAX_DIAGNOSTICS) this.#found.push(diagnostic);
    else this.#unlisted += 1;
  }
}

function where({ node_id, path, hint }: Place): { node_id: string | null; path: string | null; hint: string | null } {
  return { node_id: node_id ?? null, path: path ?? null, hint: hint ?? null };
}
