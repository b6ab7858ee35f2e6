import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifySchema, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { RuntimeError, truncated } from '../../runtime/errors.ts';

/**
 * Bodies are taken as they are; in a URL everything is text, so numbers there are read from it. A schema is compiled when it is
 * first needed: compiling all of them takes longer than the rest of the start.
 */
export function validatorCompiler(): FastifySchemaCompiler<FastifySchema> {
  const options = { removeAdditional: false, useDefaults: false, allErrors: false, strict: true, allowUnionTypes: true } as const;
  // A format is for readers of the schema: what must have it is parsed, with an error that says more.
  const trusted = { meta: false, validateSchema: false, validateFormats: false } as const;
  const strict = new Ajv({ ...options, ...trusted, coerceTypes: false });
  const coercing = new Ajv({ ...options, ...trusted, coerceTypes: true });
  return ({ schema, httpPart }) => {
    const inBody = httpPart === 'body';
    let compiled: ValidateFunction | null = null;
    return (data: Record<string, unknown>) => {
      compiled ??= (inBody ? strict : coercing).compile(schema);
      const texts = inBody ? null : { ...data };
      if (!compiled(data)) return { error: (compiled.errors ?? []) as FastifySchemaValidationError[] };
      const odd = texts === null ? undefined : nonCanonicalNumber(data, texts);
      if (odd === undefined) return true;
      return { error: [{ keyword: 'type', instancePath: `/${odd}`, schemaPath: '', params: { type: 'integer' } }] };
    };
  };
}

/**
 * The name of a number that is not written as we would write it: Ajv reads numbers as JavaScript does, `0x10`, `1e3` and
 * infinity among them.
 */
function nonCanonicalNumber(data: Record<string, unknown>, texts: Record<string, unknown>): string | undefined {
  return Object.keys(data).find((name) => typeof data[name] === 'number' && String(data[name]) !== texts[name]);
}

/** One sentence about the first thing that is wrong. */
export function validationError(errors: readonly Partial<ErrorObject>[], part: string): RuntimeError {
  const [error] = errors;
  return new RuntimeError('bad_request', error === undefined ? `the ${part} is not valid` : messageOf(error, part));
}

function messageOf(error: Partial<ErrorObject>, part: string): string {
  const { keyword, params = {}, message = 'is not valid', instancePath = '', propertyName } = error;
  const path = instancePath.slice(1).split('/').map(unescapePointer).join('.');
  if (keyword === 'required') return `${path === '' ? '' : `${truncated(path)}.`}${String(params.missingProperty)} is required`;
  const subject = path === '' ? `the ${part}` : truncated(path);
  if (propertyName !== undefined) return `${subject} must not have a key like ${JSON.stringify(truncated(propertyName))}`;
  if (keyword === 'type') return `${subject} must be ${TYPE_NAMES[String(params.type)] ?? String(params.type)}`;
  if (keyword === 'enum') return `${subject} must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'additionalProperties') return `${subject} has no ${truncated(String(params.additionalProperty))}`;
  if (keyword === 'const') return `${subject} must be ${JSON.stringify(params.allowedValue)}`;
  if (/^min(?:Length|Items)$/.test(keyword ?? '') && params.limit === 1) return `${subject} must not be empty`;
  return `${subject} ${message.replace(/NOT/, 'not')}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  object: 'a JSON object',
  array: 'a list',
  null: 'null',
};

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
