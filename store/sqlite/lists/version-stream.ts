import type { Statement } from 'better-sqlite3';
import type { Order } from '../queries/executions.ts';
import { type IdParameters, type IdStream, type Meter, precedes } from './id-streams.ts';

export interface VersionParameters {
  readonly tenantId: string;
  readonly value: string;
  readonly version: string;
  readonly at: string;
  readonly end: string;
}

export interface VersionStatements {
  /** Ids of the workflow, all versions. */
  readonly workflow: Statement<[IdParameters], string>;
  readonly version: Statement<[VersionParameters], string>;
}

/** Entries of the workflow examined at a time. */
const WINDOW = 4_096;

/**
 * Executions of one version of a workflow. There is no index by version, because every start would have to maintain it. Instead, SQLite filters the
 * entries of the workflow, one window at a time.
 */
export class VersionStream implements IdStream {
  readonly #statements: VersionStatements;
  readonly #range: Pick<VersionParameters, 'tenantId' | 'value' | 'version'>;
  readonly #order: Order;
  readonly #meter: Meter;
  #hits: readonly string[] = [];
  #next = 0;
  /** The last id of the window; null = the window reaches the end. Null before the first window. */
  #window: { readonly end: string | null } | null = null;

  constructor(
    statements: VersionStatements,
    range: Pick<VersionParameters, 'tenantId' | 'value' | 'version'>,
    order: Order,
    meter: Meter,
  ) {
    this.#statements = statements;
    this.#range = range;
    this.#order = order;
    this.#meter = meter;
  }

  seek(target: string, pass = false): string | null {
    const window = this.#window;
    if (window === null || (window.end !== null && !precedes(target, window.end, this.#order))) this.#examine(target);
    for (; this.#next < this.#hits.length; this.#next += 1) {
      const id = this.#hits[this.#next] ?? '';
      if (!precedes(id, target, this.#order) && !(pass && id === target)) return id;
    }
    return this.#window?.end ?? null;
  }

  forget(): void {
    this.#window = null;
  }

  /** Begins at the target, which is examined again when a window ended there. */
  #examine(target: string): void {
    const { workflow, version } = this.#statements;
    const end = workflow.get({ key: '', ...this.#range, at: target, limit: 1, offset: WINDOW }) ?? null;
    const furthest = this.#order === 'newest' ? '' : '\uffff';
    this.#hits = version.all({ at: target, ...this.#range, end: end ?? furthest });
    this.#next = 0;
    this.#window = { end };
    this.#meter.spent += WINDOW / 2 + this.#hits.length;
  }
}
