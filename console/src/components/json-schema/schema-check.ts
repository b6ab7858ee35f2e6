import { useEffect, useMemo } from 'react';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import type { SchemaAnswer, SchemaQuestion } from './schema-worker.ts';

/** Patterns and references of a schema can take forever. */
const MAX_MS = 1_000;

/** Problems of a value, empty = it fits. Rejects if the schema cannot be used. */
export type CheckJson = (value: Json) => Promise<readonly string[]>;

/**
 * Checks values against a JSON Schema, in a worker, so that neither a large value nor a hostile schema holds up the page. The worker is started
 * at the first check. Null schema = nothing to check.
 *
 * @example
 * const check = useSchemaCheck(schema);
 * <JsonEditor check={check} … />
 */
export function useSchemaCheck(schema: JsonObject | null): CheckJson | undefined {
  const checker = useMemo(() => (schema === null ? null : new SchemaChecker(schema)), [schema]);
  useEffect(() => () => checker?.stop(), [checker]);
  return useMemo(() => (checker === null ? undefined : (value) => checker.check(value)), [checker]);
}

class SchemaChecker {
  readonly #schema: JsonObject;
  #worker: Worker | null = null;
  /** One check at a time: a value that is checked waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(schema: JsonObject) {
    this.#schema = schema;
  }

  check(value: Json): Promise<readonly string[]> {
    const checked = this.#last.then(() => this.#ask({ schema: this.#schema, value }));
    this.#last = checked.catch(() => undefined);
    return checked;
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #ask(question: SchemaQuestion): Promise<readonly string[]> {
    this.#worker ??= new Worker(new URL('./schema-worker.ts', import.meta.url), { type: 'module' });
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.stop();
        resolve(['It takes too long to be checked.']);
      }, MAX_MS);
      worker.onmessage = ({ data }: MessageEvent<SchemaAnswer>) => {
        clearTimeout(timer);
        if ('problems' in data) resolve(data.problems);
        else reject(new Error(`The schema cannot be used: ${data.unusable}`));
      };
      worker.onerror = () => {
        clearTimeout(timer);
        this.stop();
        reject(new Error('The check could not be loaded.'));
      };
      worker.postMessage(question);
    });
  }
}
