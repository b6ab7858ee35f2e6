import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifySchema, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { RuntimeError, truncated } from '../../runtime/errors.ts';

const OPTIONS = {
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  strict: true,
  allowUnionTypes: true,
  // The schemas are ours.
  meta: false,
  validateSchema: false,
  // Formats only document: the handlers parse such values, with errors that say more.
  validateFormats: false,
} as const;

// They keep what they have compiled, for all servers of the process.
const strict = new Ajv({ ...OPTIONS, coerceTypes: false });
const coercing = new Ajv({ ...OPTIONS, coerceTypes: true });

/**
 * Validates bodies without coercion, and the texts of paths and queries with it. A schema is compiled at its first use: compiling all of
 * them takes longer than the rest of the start.
 */
export const validatorCompiler: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
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

/** Name of a parameter whose number has another notation than decimal digits: Ajv accepts all of JavaScript's, such as `0x10` and `1e3`. */
function nonCanonicalNumber(data: Record<string, unknown>, texts: Record<string, unknown>): string | undefined {
  return Object.keys(data).find((name) => typeof data[name] === 'number' && String(data[name]) !== texts[name]);
}

/** The first of the errors, as one sentence. */
export function validationError(errors: readonly Partial<ErrorObject>[], part: string): RuntimeError {
  const [error] = errors;
  return new RuntimeError('bad_request', error === undefined ? `the ${part} is not valid` : messageOf(error, errors, part));
}

/** `errors`: those of all forms that the value may have. */
function messageOf(error: Partial<ErrorObject>, errors: readonly Partial<ErrorObject>[], part: string): string {
  const { keyword, params = {}, message = 'is not valid', instancePath = '', propertyName } = error;
  const path = instancePath.slice(1).split('/').map(unescapePointer).join('.');
  if (keyword === 'required') return `${path === '' ? '' : `${truncated(path)}.`}${String(params.missingProperty)} is required`;
  const subject = path === '' ? `the ${part}` : truncated(path);
  if (propertyName !== undefined) return `${subject} must not have a key like ${JSON.stringify(truncated(propertyName))}`;
  if (keyword === 'type') return `${subject} must be ${typesIn(errors.filter((other) => other.instancePath === instancePath))}`;
  if (keyword === 'enum') return `${subject} must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'additionalProperties') return `${subject} has no ${truncated(String(params.additionalProperty))}`;
  if (keyword === 'const') return `${subject} must be ${JSON.stringify(params.allowedValue)}`;
  if (/^min(?:Length|Items)$/.test(keyword ?? '') && params.limit === 1) return `${subject} must not be empty`;
  return `${subject} ${message.replace(/NOT/, 'not')}`;
}

/** The types that a value may have; that it may be null goes without saying. */
function typesIn(errors: readonly Partial<ErrorObject>[]): string {
  const types = errors.flatMap(({ keyword, params }) => (keyword === 'type' ? [String(params?.type)] : []));
  const named = types.length > 1 ? types.filter((type) => type !== 'null') : types;
  return [...new Set(named.map((type) => TYPE_NAMES[type] ?? type))].join(' or ');
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
