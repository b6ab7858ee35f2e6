import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifySchema, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { RuntimeError } from '../runtime/errors.ts';
import { shown } from './ids.ts';

/** Bodies are taken as they are; in a URL everything is text, so numbers there are read from it. */
export function validatorCompiler(): FastifySchemaCompiler<FastifySchema> {
  const options = { removeAdditional: false, useDefaults: false, allErrors: false, strict: true, allowUnionTypes: true } as const;
  const strict = new Ajv({ ...options, coerceTypes: false });
  const coercing = new Ajv({ ...options, coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict.compile(schema) : plainNumbers(coercing.compile(schema)));
}

/** Ajv reads numbers as JavaScript does: `0x10`, `1e3`, infinity. In a URL only what we would write ourselves is a number. */
function plainNumbers(validate: ValidateFunction): ReturnType<FastifySchemaCompiler<FastifySchema>> {
  return (data: Record<string, unknown>) => {
    const texts = { ...data };
    if (!validate(data)) return { error: (validate.errors ?? []) as FastifySchemaValidationError[] };
    const odd = Object.keys(data).find((name) => typeof data[name] === 'number' && String(data[name]) !== texts[name]);
    if (odd === undefined) return true;
    return { error: [{ keyword: 'type', instancePath: `/${odd}`, schemaPath: '', params: { type: 'integer' } }] };
  };
}

/** One sentence about the first thing that is wrong. */
export function validationError(errors: readonly Partial<ErrorObject>[], part: string): RuntimeError {
  const [error] = errors;
  return new RuntimeError('bad_request', error === undefined ? `the ${part} is not valid` : sentence(error, part));
}

function sentence(error: Partial<ErrorObject>, part: string): string {
  const { keyword, params = {}, message = 'is not valid', instancePath = '' } = error;
  const path = instancePath.slice(1).split('/').map(unescapePointer).join('.');
  if (keyword === 'required') return `${path === '' ? '' : `${shown(path)}.`}${String(params.missingProperty)} is required`;
  const subject = path === '' ? `the ${part}` : shown(path);
  if (keyword === 'type') return `${subject} must be ${ARTICLES[String(params.type)] ?? String(params.type)}`;
  if (keyword === 'enum') return `${subject} must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'const') return `${subject} must be ${JSON.stringify(params.allowedValue)}`;
  return `${subject} ${message.replace(/NOT/, 'not')}`;
}

const ARTICLES: Readonly<Record<string, string>> = {
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
