import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Budget } from './budget.ts';
import { ExpressionError } from './error.ts';
import { indexOfText } from './text-search.ts';

/** Levels of compared values, at most: deeper ones are an error instead of a stack overflow. */
const MAX_COMPARED_DEPTH = 500;
/** Units for comparing two items; comparing a character costs one. */
const ITEM_COST = 8;

/** False for null, false, 0, "", [] and {}. */
export function truthy(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return !isEmpty(value);
  return value !== null && value !== false && value !== 0 && value !== '';
}

function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}

/** The value of an own key; undefined for anything else. Prototypes are never read. */
export function own(value: Json, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** `value[key]`: a key of an object, or an integer (or its digits) into a list or text; negative ones count from the end. */
export function member(value: Json, key: Json): Json {
  if (isObject(value)) return typeof key === 'string' || typeof key === 'number' ? (own(value, String(key)) ?? null) : null;
  if (typeof value !== 'string' && !Array.isArray(value)) return null;
  const index = typeof key === 'string' && /^-?\d{1,15}$/.test(key) ? Number(key) : key;
  if (typeof index !== 'number' || !Number.isInteger(index)) return null;
  return value.at(index) ?? null;
}

/** Equality of JSON values: strict about types, regardless of the order of keys. */
export function equal(a: Json, b: Json, budget: Budget, depth = 0): boolean {
  if (typeof a === 'string' || typeof b === 'string') {
    if (typeof a !== 'string' || typeof b !== 'string' || a.length !== b.length) return false;
    budget.spend(a.length);
    return a === b;
  }
  budget.spend(ITEM_COST);
  if (a === b) return true;
  if (depth > MAX_COMPARED_DEPTH) throw new ExpressionError('compared values are nested too deeply');
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item: Json, i) => equal(item, b[i] ?? null, budget, depth + 1));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  budget.spend(keys.length);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key] ?? null, b[key] ?? null, budget, depth + 1));
}

/** Negative, zero or positive, for two numbers or two texts. */
export function compare(operator: string, a: Json, b: Json, budget: Budget): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== 'string' || typeof b !== 'string') {
    throw new ExpressionError(`${operator} compares two numbers or two texts, not ${typeName(a)} and ${typeName(b)}`);
  }
  budget.spend(Math.min(a.length, b.length));
  return a < b ? -1 : a > b ? 1 : 0;
}

export function contains(container: Json, value: Json, budget: Budget): boolean {
  if (Array.isArray(container)) return container.some((item: Json) => equal(item, value, budget));
  if (typeof container === 'string') {
    const text = textArgument('in', value);
    budget.spend(container.length);
    return indexOfText(container, text, 0) >= 0;
  }
  if (isObject(container)) return Object.hasOwn(container, textArgument('in', value));
  throw new ExpressionError(`in looks into a list, a text or an object, not ${typeName(container)}`);
}

/** A value inside a text: null is empty, objects and lists are JSON. */
export function textOf(value: Json, budget: Budget): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : jsonOf(value, budget);
}

export function jsonOf(value: Json, budget: Budget): string {
  budget.chargeResult(value);
  const text = JSON.stringify(value);
  budget.spend(text.length);
  return text;
}

export function numberArgument(operation: string, value: Json): number {
  if (typeof value === 'number') return value;
  throw new ExpressionError(`${operation} needs numbers, not ${typeName(value)}`);
}

export function textArgument(operation: string, value: Json): string {
  if (typeof value === 'string') return value;
  throw new ExpressionError(`${operation} needs text, not ${typeName(value)}`);
}

/** JSON has neither infinities nor a negative zero. */
export function finite(operation: string, value: number): number {
  if (Number.isFinite(value)) return value + 0;
  throw new ExpressionError(`${operation} has no finite result`);
}

export function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string'
    ? 'text'
    : typeof value === 'boolean'
      ? 'true or false'
      : typeof value === 'number'
        ? 'a number'
        : 'an object';
}
