import { isObject, type Json } from '../json.ts';
import { type Budget, KEY_COST, MAX_PARTS, PART_COST } from './budget.ts';
import { ExpressionError } from './error.ts';
import { splitText } from './text-search.ts';
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

/** With the operations that language 3 added. */
function withNewer(first: readonly (readonly [string, Operation])[], added: Readonly<Record<string, Operation>>): Operations {
  return new Map([...first, ...Object.entries(added).map(([name, operation]) => [name, operation] as const)]);
}

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
    return chargeParts(splitText(text, separator, MAX_PARTS + 2), budget);
  },
};

/** An item of a list, or a character of a text, counted from the end if negative; null = there is none. */
function itemAt(name: string, at: number): Operation {
  return unary((value) => {
    if (Array.isArray(value) || typeof value === 'string') return value.at(at) ?? null;
    throw new ExpressionError(`${name} takes a list or a text, not ${typeName(value)}`);
  });
}

function onlyList(name: string, value: Json, budget: Budget): readonly Json[] {
  if (!Array.isArray(value)) throw new ExpressionError(`${name} takes a list, not ${typeName(value)}`);
  budget.spend(value.length * PART_COST);
  return value;
}

/** Rounds half away from zero, to digits after the point. */
const round: Operation = {
  min: 1,
  max: 2,
  run: (args) => {
    const value = numberArgument('round', arg(args, 0));
    const digits = args.length > 1 ? numberArgument('round', arg(args, 1)) : 0;
    if (!Number.isInteger(digits) || digits < 0 || digits > 15) throw new ExpressionError('round takes 0 to 15 digits');
    const shifted = timesTenTo(Math.abs(value), digits);
    if (!Number.isFinite(shifted)) return value;
    return finite('round', Math.sign(value) * timesTenTo(Math.round(shifted), -digits));
  },
};

/** By its decimal digits: a product would not be exact. */
function timesTenTo(value: number, power: number): number {
  const [digits = '0', exponent = '0'] = String(value).split('e');
  return Number(`${digits}e${Number(exponent) + power}`);
}

const sum = unary((value, budget) =>
  finite(
    'sum',
    onlyList('sum', value, budget).reduce<number>((total, item) => total + numberArgument('sum', item), 0),
  ),
);

/** Sorts numbers or texts. */
const sorted = unary((value, budget) => {
  const list = onlyList('sort', value, budget);
  budget.spend(list.length * Math.ceil(Math.log2(list.length + 1)) * PART_COST);
  return budget.chargeResult(list.toSorted((a, b) => compare('sort', a, b, budget)));
});

const reverse = unary((value, budget) => budget.chargeResult([...onlyList('reverse', value, budget)].reverse()));

/** The items without those that are equal to an earlier one. */
const unique = unary((value, budget) => {
  const found = new Map<string, Json>();
  for (const item of onlyList('unique', value, budget)) {
    const key = jsonOf(item, budget);
    if (!found.has(key)) found.set(key, item);
  }
  return budget.chargeResult([...found.values()]);
});

const values = unary((value, budget) => {
  if (!isObject(value)) throw new ExpressionError(`only an object has values, not ${typeName(value)}`);
  const list = Object.values(value);
  budget.spend(list.length * KEY_COST);
  return budget.chargeResult(list);
});

/** The text of a list can be long and deep. */
function keyText(key: Json, budget: Budget): string {
  if (Array.isArray(key)) budget.chargeResult(key);
  return String(key);
}

const MAX_TRUNCATED = 1_000_000;

/** `truncate(length, end)`: the first characters, with `...` in place of the rest. A true or false between the two, as in Jinja, says nothing. */
const truncate: Operation = {
  min: 1,
  max: 4,
  run: ([value = null, ...rest], budget) => {
    const text = textOf(value, budget);
    const [length = 255, end = '...'] = rest.filter((option) => typeof option !== 'boolean');
    const kept = numberArgument('truncate', length) - textArgument('truncate', end).length;
    if (!Number.isInteger(length) || Number(length) < 0 || Number(length) > MAX_TRUNCATED)
      throw new ExpressionError(`truncate takes a length from 0 to ${MAX_TRUNCATED}`);
    budget.spend(Math.min(text.length, Number(length)));
    if (text.length <= Number(length)) return text;
    // A surrogate pair is not cut in two.
    const cut = /[\ud800-\udbff]/.test(text.charAt(kept - 1)) ? kept - 1 : kept;
    return budget.chargeResult(text.slice(0, Math.max(0, cut)) + String(end));
  },
};

const replace: Operation = {
  min: 3,
  max: 3,
  run: (args, budget) => {
    const text = textArgument('replace', arg(args, 0));
    const part = textArgument('replace', arg(args, 1));
    const replacement = textArgument('replace', arg(args, 2));
    if (part === '') throw new ExpressionError('replace needs a text to replace that is not empty');
    budget.spend(text.length);
    const parts = splitText(text, part, MAX_PARTS + 2);
    budget.reserve(text.length + (parts.length - 1) * (replacement.length - part.length));
    return parts.join(replacement);
  },
};

const title = textTransform('title', (text) =>
  text.toLowerCase().replace(/(^|[^\p{L}\p{N}'’])(\p{L})/gu, (whole) => whole.toUpperCase()),
);
const capitalize = textTransform('capitalize', (text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase());

export const FUNCTIONS: Operations = withNewer(
  [
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
  ],
  { round, sum, sorted },
);

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

export const METHODS: Operations = withNewer(
  [
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
        run: (args, budget) => {
          const object = arg(args, 0);
          if (!isObject(object)) throw new ExpressionError(`get looks into an object, not ${typeName(object)}`);
          return own(object, keyText(arg(args, 1), budget)) ?? arg(args, 2);
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
  ],
  { replace, title, capitalize, values },
);

export const FILTERS: Operations = withNewer(
  [
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
  ],
  {
    tojson: unary(jsonOf),
    string: unary(textOf),
    int: unary(toInt),
    float: unary(toFloat),
    abs: unary((value) => Math.abs(numberArgument('abs', value))),
    min: minOrMax('min', -1),
    max: minOrMax('max', 1),
    truncate,
    replace,
    title,
    capitalize,
    split,
    round,
    sum,
    first: itemAt('first', 0),
    last: itemAt('last', -1),
    sort: sorted,
    reverse,
    unique,
    values,
  },
);
