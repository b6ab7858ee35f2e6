import { isObject, type Json, type JsonObject } from '../../machines/json.ts';

/** One property of the body of a request, as a form asks for it. */
export interface FormProperty {
  readonly name: string;
  /** `list`: texts, separated by commas. */
  readonly control: 'text' | 'number' | 'choice' | 'check' | 'list' | 'json';
  /** Of values that are not null. */
  readonly schema: JsonObject;
  readonly description: string;
  readonly isRequired: boolean;
  /** Null stands for what is not given. */
  readonly isNullable: boolean;
}

/**
 * The properties of an object schema, in their order.
 *
 * @example
 * formProperties({ properties: { queues: { type: 'array', items: { type: 'string' } } } })[0]?.control; // 'list'
 */
export function formProperties({ properties, required }: JsonObject): readonly FormProperty[] {
  const names = new Set(Array.isArray(required) ? required : []);
  return Object.entries(isObject(properties) ? properties : {}).map(([name, declared]) => ({
    name,
    ...typeOf(isObject(declared) ? declared : {}),
    isRequired: names.has(name),
  }));
}

function typeOf(declared: JsonObject): Pick<FormProperty, 'control' | 'schema' | 'description' | 'isNullable'> {
  const [first, ...others] = Array.isArray(declared.anyOf) ? declared.anyOf.filter(isObject) : [];
  const schema = first ?? declared;
  return {
    control: controlOf(schema),
    schema,
    description: String(declared.description ?? ''),
    isNullable: others.some(({ type }) => type === 'null'),
  };
}

function controlOf({ type, enum: choices, items }: JsonObject): FormProperty['control'] {
  if (Array.isArray(choices)) return 'choice';
  if (type === 'array') return isObject(items) && items.type === 'string' ? 'list' : 'json';
  if (type === 'boolean') return 'check';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'string' ? 'text' : 'json';
}

/** A value as it is written in its field. */
export function writtenText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** The value of what is written in a field; undefined = it is left out. */
export function writtenValue({ control, isNullable }: FormProperty, text: string): Json | undefined {
  const trimmed = text.trim();
  if (control === 'check') return trimmed === 'true';
  if (trimmed === '') return isNullable ? null : undefined;
  if (control === 'number') return Number(trimmed);
  if (control !== 'list') return trimmed;
  const texts = trimmed.split(',').map((each) => each.trim());
  return texts.filter((each) => each !== '');
}
