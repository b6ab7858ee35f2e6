import type { Validator } from 'typebox/compile';
import { isStandardSchema, type Schema, type SchemaIssue, standardIssue, type Validation } from './schema.ts';

/** Validates values by one schema. */
export type Validate = (value: unknown) => Promise<Validation>;

/** The validation of a schema. TypeBox and JSON Schemas are compiled at its first use. */
export function validationOf(schema: Schema): Validate {
  if (isStandardSchema(schema)) {
    return async (value) => {
      const result = await schema['~standard'].validate(value);
      const [first, ...others] = (result.issues ?? []).map(standardIssue);
      if (first !== undefined) return { issues: [first, ...others] };
      return { value: 'value' in result ? result.value : value, issues: null };
    };
  }
  let compiled: Promise<Validator> | null = null;
  return async (value) => {
    compiled ??= import('typebox/compile').then(({ Compile }) => Compile(schema));
    const validator = await compiled;
    if (validator.Check(value)) return { value, issues: null };
    const [first = { path: [], message: 'does not fit its schema' }, ...others] = issuesOf(validator.Errors(value));
    return { issues: [first, ...others] };
  };
}

type TypeBoxError = ReturnType<Validator['Errors']>[number];

/** The issues of a failed check, one for each place: of a union, that no alternative fits, without what each alternative wants. */
function issuesOf(errors: readonly TypeBoxError[]): readonly SchemaIssue[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const within = ({ schemaPath }: TypeBoxError): boolean =>
    unions.some((union) => schemaPath.startsWith(`${union.schemaPath}/${union.keyword}/`));
  return errors
    .filter((error) => error.keyword !== 'boolean' && !within(error))
    .flatMap((error) => {
      const path = pathOf(error.instancePath);
      const { keyword } = error;
      if (keyword === 'required')
        return error.params.requiredProperties.map((name) => ({ path: [...path, name], message: 'is missing' }));
      if (keyword === 'additionalProperties')
        return error.params.additionalProperties.map((name) => ({ path: [...path, name], message: 'is unknown' }));
      if (keyword === 'anyOf') return [{ path, message: alternatives(error, errors) ?? error.message }];
      return [{ path, message: error.message }];
    });
}

/** `must be one of "card", "cash"`, of a union of constants. */
function alternatives(union: TypeBoxError, errors: readonly TypeBoxError[]): string | null {
  const prefix = `${union.schemaPath}/${union.keyword}/`;
  const inside = errors.filter(
    ({ schemaPath, instancePath }) => schemaPath.startsWith(prefix) && instancePath === union.instancePath,
  );
  const values = inside.flatMap((error) => (error.keyword === 'const' ? [JSON.stringify(error.params.allowedValue)] : []));
  return values.length > 0 && values.length === inside.length ? `must be one of ${values.join(', ')}` : null;
}

/** `/lines/0/sku` → `['lines', 0, 'sku']` */
function pathOf(pointer: string): readonly (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
