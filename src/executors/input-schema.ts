import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import { didYouMean } from '../../machines/suggest.ts';
import { withinTimeLimit } from './time-limit.ts';

/** Problems that one message names. */
const MAX_PROBLEMS = 8;
const MAX_CHARS = 1_000;

/** What is wrong with an input, each problem with its key: `amount must be number; unknown key "nmae"; did you mean "name"?`. Null = it fits. */
export type CheckInput = (input: Json) => Promise<string | null>;

/** The check of a JSON Schema, compiled at its first use. Rejects if the schema cannot be used: `inputSchemaProblem` tells beforehand. */
export function inputCheck(schema: JsonObject): CheckInput {
  let compiled: Promise<ValidateFunction> | null = null;
  return async (input) => {
    compiled ??= compile(schema);
    // Another attempt may have more time.
    const validate = await compiled.catch((error: unknown) => {
      compiled = null;
      throw error;
    });
    let fits: unknown = false;
    try {
      fits = withinTimeLimit(
        () => validate(input),
        () => new TooSlow(),
      );
    } catch (error) {
      if (error instanceof TooSlow) return 'it takes too long to be checked';
      throw error;
    }
    return fits === true ? null : problemsOf(validate.errors ?? [], schema);
  };
}

/** Why the schema cannot be used; null = it can. */
export async function inputSchemaProblem(schema: JsonObject): Promise<string | null> {
  try {
    await compile(schema);
    return null;
  } catch (error) {
    return shortened(error instanceof Error ? error.message : String(error), 300);
  }
}

class TooSlow extends Error {}

async function compile(schema: JsonObject): Promise<ValidateFunction> {
  const { Ajv } = await import('ajv');
  const { $schema: _, ...content } = schema;
  return withinTimeLimit(
    // One that was stopped may not compile again.
    () => new Ajv({ strict: false, logger: false, validateFormats: false, allErrors: true }).compile(content),
    () => new Error('it takes too long to compile'),
  );
}

function problemsOf(errors: readonly ErrorObject[], schema: JsonObject): string {
  const texts = [...new Set(errors.map((error) => problemOf(error, schema)))];
  const more = texts.length - MAX_PROBLEMS;
  return shortened(`${texts.slice(0, MAX_PROBLEMS).join('; ')}${more > 0 ? `; and ${more} more` : ''}`, MAX_CHARS);
}

function problemOf({ keyword, instancePath, params, message }: ErrorObject, schema: JsonObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  if (keyword === 'required') return `${path === '' ? '' : `${path}.`}${String(params.missingProperty)} is required`;
  if (keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    const hint = path === '' ? didYouMean(key, Object.keys((schema.properties ?? {}) as object)) : null;
    return `unknown key ${JSON.stringify(key)}${path === '' ? '' : ` in ${path}`}${hint === null ? '' : `; ${hint}`}`;
  }
  const allowed =
    keyword === 'enum' ? `: ${(params.allowedValues as readonly Json[]).map((value) => JSON.stringify(value)).join(', ')}` : '';
  return `${path === '' ? 'it' : path} ${message ?? 'is wrong'}${allowed}`;
}
