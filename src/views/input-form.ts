import { fullSchema } from '../../machines/ir/input-schema.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';

/** One key of an input, as a form asks for it. */
export interface InputField {
  readonly key: string;
  /** Title of the schema, else the key. */
  readonly label: string;
  /** '' = none. */
  readonly description: string;
  /** `json`: anything that is neither text, number, boolean nor a choice is written as JSON. */
  readonly control: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  /** Of a choice. */
  readonly choices: readonly Json[];
  readonly isRequired: boolean;
  /** What the field begins with, as it is written in the form. */
  readonly initial: string;
}

/** What is written in a form, by key; '' = the key is left out. */
export type FieldTexts = Readonly<Record<string, string>>;

export interface FormInput {
  readonly input: JsonObject;
  /** What is wrong, by key; the keys are missing in the input. */
  readonly problems: Readonly<Record<string, string>>;
}

const MAX_FIELDS = 100;

/**
 * The fields of a form for inputs of a workflow, from its state schema; empty = the schema names no keys.
 *
 * @example
 * inputFields({ properties: { amount: { type: 'number', default: 10 } } });
 */
export function inputFields(schema: JsonObject | null): readonly InputField[] {
  if (schema === null) return [];
  const { properties, required } = fullSchema(schema);
  if (!isObject(properties)) return [];
  const requiredKeys = new Set(Array.isArray(required) ? required : []);
  return Object.entries(properties)
    .slice(0, MAX_FIELDS)
    .map(([key, value]) => fieldOf(key, isObject(value) ? value : {}, requiredKeys.has(key)));
}

function fieldOf(key: string, schema: JsonObject, isRequired: boolean): InputField {
  const choices = choicesOf(schema);
  const control: InputField['control'] = choices.length > 0 ? 'choice' : controlOf(schema.type);
  const field = {
    key,
    label: textOf(schema.title) || key,
    description: textOf(schema.description),
    control,
    choices,
    isRequired,
  };
  return { ...field, initial: schema.default === undefined ? '' : fieldText(field, schema.default) };
}

/** An input as it is written in the fields, and its keys that have no field. */
export function fieldTexts(
  fields: readonly InputField[],
  input: JsonObject,
): { readonly texts: FieldTexts; readonly others: JsonObject } {
  const known = new Set(fields.map(({ key }) => key));
  const texts = fields.map((field) => [
    field.key,
    Object.hasOwn(input, field.key) ? fieldText(field, input[field.key] ?? null) : '',
  ]);
  const others = Object.entries(input).filter(([key]) => !known.has(key));
  return { texts: Object.fromEntries(texts), others: Object.fromEntries(others) };
}

/** The input that a form describes. */
export function formInput(fields: readonly InputField[], texts: FieldTexts, others: JsonObject = {}): FormInput {
  const input: [string, Json][] = [];
  const problems: [string, string][] = [];
  for (const field of fields) {
    const text = texts[field.key] ?? '';
    if (text === '') {
      if (field.isRequired) problems.push([field.key, 'is required']);
      continue;
    }
    const read = fieldValue(field, text);
    if ('problem' in read) problems.push([field.key, read.problem]);
    else input.push([field.key, read.value]);
  }
  return { input: { ...Object.fromEntries(input), ...others }, problems: Object.fromEntries(problems) };
}

/** The key that a problem of a check against the schema is about: `customer.name is required` → `customer`; null = none of them. */
export function fieldOfProblem(fields: readonly InputField[], problem: string): string | null {
  const named = fields.filter(({ key }) => problem.startsWith(`${key} `) || problem.startsWith(`${key}.`));
  return named.sort((a, b) => b.key.length - a.key.length)[0]?.key ?? null;
}

function fieldText({ control, choices }: Pick<InputField, 'control' | 'choices'>, value: Json): string {
  if (control === 'choice') {
    const at = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
    return at === -1 ? '' : String(at);
  }
  if (control === 'text' && typeof value === 'string') return value;
  return control === 'json' ? JSON.stringify(value, null, 2) : JSON.stringify(value);
}

function fieldValue({ control, choices }: InputField, text: string): { readonly value: Json } | { readonly problem: string } {
  switch (control) {
    case 'text':
      return { value: text };
    case 'choice':
      return { value: choices[Number(text)] ?? null };
    case 'boolean':
      return { value: text === 'true' };
    case 'number':
    case 'integer': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) return { problem: 'must be a number' };
      return control === 'integer' && !Number.isInteger(value) ? { problem: 'must be a whole number' } : { value };
    }
    case 'json':
      try {
        return { value: JSON.parse(text) as Json };
      } catch (error) {
        return { problem: `is no JSON: ${error instanceof Error ? error.message : String(error)}` };
      }
    default: {
      const unhandled: never = control;
      throw new Error(`unknown control ${String(unhandled)}`);
    }
  }
}

function choicesOf({ enum: values, const: only }: JsonObject): readonly Json[] {
  if (Array.isArray(values)) return values;
  return only === undefined ? [] : [only];
}

/** `["string", "null"]` is a text that may be left out. */
function controlOf(type: Json | undefined): Exclude<InputField['control'], 'choice'> {
  const types = (Array.isArray(type) ? type : [type]).filter((each) => each !== 'null');
  if (types.length !== 1) return 'json';
  switch (types[0]) {
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
    case 'boolean':
      return types[0];
    default:
      return 'json';
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
