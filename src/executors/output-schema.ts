import type { ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import { WorkError } from './executor.ts';
import { withinTimeLimit } from './time-limit.ts';

/** What is wrong with an output, as `/n must be integer`; null = it fits. */
export type CheckOutput = (output: Json) => string | null;

/**
 * The check of a JSON Schema, compiled at its first use. An author chooses the schema, and may choose the output: one that takes too long, and a
 * schema that is none, throw `WorkError` `validation`.
 */
export function outputCheck(schema: JsonObject): () => Promise<CheckOutput> {
  let compiled: Promise<CheckOutput> | null = null;
  return () => {
    if (compiled === null) {
      compiled = compile(schema);
      // Another attempt may have more time.
      compiled.catch(() => {
        compiled = null;
      });
    }
    return compiled;
  };
}

async function compile(schema: JsonObject): Promise<CheckOutput> {
  const { Ajv } = await import('ajv');
  let validate: ValidateFunction;
  try {
    const { $schema: _, ...content } = schema;
    validate = withinTimeLimit(
      // One that was stopped may not compile again.
      () => new Ajv({ strict: false, logger: false, validateFormats: false }).compile(content),
      () => new Error('it takes too long to compile'),
    );
  } catch (cause) {
    throw refused(`output_schema cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  return (output) => {
    const fits = withinTimeLimit(
      () => validate(output),
      () => refused('the output takes too long to be checked by output_schema'),
    );
    if (fits === true) return null;
    const [problem] = validate.errors ?? [];
    return shortened(`${problem?.instancePath || 'it'} ${problem?.message ?? 'is wrong'}`, 500);
  };
}

function refused(message: string, cause?: unknown): WorkError {
  return new WorkError(shortened(message, 600), { cause, retryable: false, errorClass: 'validation' });
}
