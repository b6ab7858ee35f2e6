import type { ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../machines/json.ts';
import { WorkError } from './executor.ts';

/** Checks an output; throws `WorkError` `validation` when it does not fit. */
export type CheckOutput = (output: Json) => void;

/** The check of a JSON Schema, compiled at its first use. */
export function outputCheck(schema: JsonObject): () => Promise<CheckOutput> {
  let compiled: Promise<CheckOutput> | null = null;
  return () => {
    compiled ??= compile(schema);
    return compiled;
  };
}

async function compile(schema: JsonObject): Promise<CheckOutput> {
  const { Ajv } = await import('ajv');
  // A pattern of an author, matched with an output of any size, could block this process.
  const regExp = Object.assign(
    (pattern: string): never => {
      throw new Error(`the pattern ${JSON.stringify(pattern.slice(0, 60))} is not supported`);
    },
    { code: '' },
  );
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: false, code: { regExp } });
  let validate: ValidateFunction;
  try {
    const { $schema: _, ...content } = schema;
    validate = ajv.compile(content);
  } catch (cause) {
    throw refused(`output_schema cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  return (output) => {
    if (validate(output) === true) return;
    const [problem] = validate.errors ?? [];
    throw refused(`the output does not fit output_schema: ${problem?.instancePath || 'it'} ${problem?.message ?? 'is wrong'}`);
  };
}

function refused(message: string, cause?: unknown): WorkError {
  return new WorkError(message.slice(0, 600), { cause, retryable: false, errorClass: 'validation' });
}
