import type { Json, JsonObject } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import { WorkError } from './executor.ts';
import { SchemaCheck, UnusableSchema } from './schema/schema-check.ts';

/** What is wrong with an output, as `/n must be integer`; null = it fits. */
export type CheckOutput = (output: Json) => string | null | Promise<string | null>;

/** The check of a JSON Schema, compiled at its first use. A schema that is none rejects with `WorkError` `validation`, before there is an output. */
export function outputCheck(schema: JsonObject): () => Promise<CheckOutput> {
  const check = new SchemaCheck(schema, 'output');
  return async () => {
    await check.assertUsable().catch(refuse);
    return (output) => check.problemOf(output).catch(refuse);
  };
}

function refuse(cause: unknown): never {
  if (!(cause instanceof UnusableSchema)) throw cause;
  throw new WorkError(shortened(`output_schema cannot be used: ${cause.message}`, 600), {
    cause,
    retryable: false,
    errorClass: 'validation',
  });
}
