import { isObject, type Json } from '../json.ts';
import { type Budget, KEY_COST, MAX_PARTS, PART_COST } from './budget.ts';
import { ExpressionError } from './error.ts';
import { compare, finite, jsonOf, numberArgument, own, textArgument, textOf, truthy, typeName } from './values.ts';

/** `run` gets between `min` and `max` arguments; the subject of a method or filter is the first. */
export interface Operation {
  readonly min: number;
  readonly max: number;
  run(args: readonly Json[], budget: Budget): Json;
}

export type Operations = ReadonlyMap<string, Operation>;

const arg = (args: readonly Json[], i: number): Json => args[i] ?? null;

function unary(run: (value: Json, budget: Budget) => Json): Operation {
  return { min: 1, max: 1, run: (args, budget) => run(arg(args, 0), budget) };
}

/** An operation from a text to a text. */
function textTransform(name: string, change: (text: string) => string): Operation {
  return unary((value, budget) => {
    const text = textArgument(name, value);
    budget.spend(text.length);
    return budget.chargeResult(change(text));
  });
}

const upper = textTransform('upper', (text) => text.toUpperCase());
const lower = textTransform('lower', (text) => text.toLowerCase());

const length = unary((value, budget) => {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (!isObject(value)) throw new ExpressionError(`the length of ${typeName(value)} is not defined`);
  const count = Object.keys(value).length;
  budget.spend(count * KEY_COST);
  return count;
});

/** `min(a, b, …)` or `min(list)`. */
function minOrMax(name: string, sign: number): Operation {
  return {
    min: 1,
    max: Number.POSITIVE_INFINITY,
    run: (args, budget) => {
      const [first] = args;
      const values: readonly Json[] = args.length === 1 && Array.isArray(first) ? first : args;
      if (values.length === 0) throw new ExpressionError(`${name} of an empty list is not defined`);
      budget.spend(values.length);
      return values.reduce((best, value) => (compare(name, value, best, budget) * sign > 0 ? value : best));
    },
  };
}

function toInt(value: Json, budget: Budget): number {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') budget.spend(value.length);
  if (typeof value === 'string' && /^\s*[+-]?\d{1,400}\s*$/.test(value)) return finite('int', Number(value));
  if (typeof value === 'number') return finite('int', Math.trunc(value));
  throw new ExpressionError(`int cannot read ${typeName(value)}`);
}

function toFloat(value: Json, budget: Budget): number {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') budget.spend(value.length);
  if (typeof value === 'string' && /^\s*[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,10})?\s*$/.test(value)) {
    return finite('float', Number(value));
  }
  return numberArgument('float', value);
}

export const FUNCTIONS: Operations = new Map<string, Operation>([
  ['len', length],
  ['int', unary(toInt)],
  ['float', unary(toFloat)],
  ['str', unary(textOf)],
  ['bool', unary((value) => truthy(value))],
  ['lower', lower],
  ['upper', upper],
  ['abs', unary((value) => Math.abs(numberArgument('abs', value)))],
  ['min', minOrMax('min', -1)],
  ['max', minOrMax('max', 1)],
]);

const strip = textTransform('strip', (text) => text.trim());

/** Charges for a list of new texts. */
function chargeParts(list: string[], budget: Budget): string[] {
  budget.spend(list.length * PART_COST);
  return budget.chargeResult(list);
}

/** Splits at a separator, or at white space when there is none. */
const split: Operation = {
  min: 1,
  max: 2,
  run: (args, budget) => {
    const text = textArgument('split', arg(args, 0));
    budget.spend(text.length);
    if (args.length === 1) return chargeParts(text.split(/\s+/, MAX_PARTS + 2), budget).filter((part) => part !== '');
    const separator = textArgument('split', arg(args, 1));
    if (separator === '') throw new ExpressionError('split needs a separator that is not empty');
    return chargeParts(text.split(separator, MAX_PARTS + 2), budget);
  },
};

function textPredicate(name: string, holds: (text: string, part: string) => boolean): Operation {
  return {
    min: 2,
    max: 2,
    run: (args, budget) => {
      const part = textArgument(name, arg(args, 1));
      budget.spend(part.length);
      return holds(textArgument(name, arg(args, 0)), part);
    },
  };
}

export const METHODS: Operations = new Map<string, Operation>([
  ['upper', upper],
  ['lower', lower],
  ['strip', strip],
  ['split', split],
  ['startswith', textPredicate('startswith', (text, part) => text.startsWith(part))],
  ['endswith', textPredicate('endswith', (text, part) => text.endsWith(part))],
  [
    'get',
    {
      min: 2,
      max: 3,
      run: (args) => {
        const object = arg(args, 0);
        if (!isObject(object)) throw new ExpressionError(`get looks into an object, not ${typeName(object)}`);
        return own(object, String(arg(args, 1))) ?? arg(args, 2);
      },
    },
  ],
  [
    'keys',
    unary((value, budget) => {
      if (!isObject(value)) throw new ExpressionError(`only an object has keys, not ${typeName(value)}`);
      const keys = Object.keys(value);
      budget.spend(keys.length * KEY_COST);
      return budget.chargeResult(keys);
    }),
  ],
]);

export const FILTERS: Operations = new Map<string, Operation>([
  [
    'join',
    {
      min: 1,
      max: 2,
      run: (args, budget) => {
        const list = arg(args, 0);
        if (!Array.isArray(list)) throw new ExpressionError(`join joins a list, not ${typeName(list)}`);
        const separator = args.length > 1 ? textArgument('join', arg(args, 1)) : '';
        budget.spend(list.length * PART_COST);
        const texts = list.map((item: Json) => textOf(item, budget));
        budget.reserve(texts.reduce((sum, text) => sum + text.length, separator.length * texts.length));
        return texts.join(separator);
      },
    },
  ],
  ['default', { min: 2, max: 2, run: (args) => args[0] ?? arg(args, 1) }],
  ['upper', upper],
  ['lower', lower],
  ['trim', strip],
  ['length', length],
  ['json', unary(jsonOf)],
]);
