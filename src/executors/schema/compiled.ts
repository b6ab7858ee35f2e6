import type { Ajv, ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { didYouMean } from '../../../machines/suggest.ts';

/** Of an input all problems are said; of an output the first. */
export type SchemaUse = 'input' | 'output';

/** What is wrong with a value; null = it fits. */
export type Check = (value: Json) => string | null;

/** Problems that one message names. */
const MAX_PROBLEMS = 8;
const MAX_CHARS = 1_000;

/** Throws if the schema cannot be used. Takes as long as the author of the schema wants it to, and so does the check. */
export function compiled(Compiler: typeof Ajv, schema: JsonObject, use: SchemaUse): Check {
  const { $schema: _, ...content } = schema;
  // One that was stopped may not compile again.
  const ajv = new Compiler({ strict: false, logger: false, validateFormats: false, allErrors: use === 'input' });
  const validate = ajv.compile(content);
  return (value) => {
    if (validate(value) === true) return null;
    const errors = validate.errors ?? [];
    return use === 'input' ? problemsOf(errors, schema) : firstOf(errors);
  };
}

function firstOf([problem]: readonly ErrorObject[]): string {
  return shortened(`${problem?.instancePath || 'it'} ${problem?.message ?? 'is wrong'}`, 500);
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
