import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { fitted } from '../../machines/shortened.ts';
import { toStorableText } from '../../machines/unicode.ts';

const MAX_NAME = 100;
const MAX_MESSAGE = 1_000;
/** Tracebacks of some languages have two lines per frame. */
const MAX_STACK = 8_000;
const MAX_STACK_LINES = 40;
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;
const MAX_CHARS = 16_000;

/** What an external worker says of an error besides its text. */
export interface GivenDetails {
  readonly error_name?: Json | undefined;
  readonly stack?: Json | undefined;
  readonly cause?: Json | undefined;
  readonly errors?: Json | undefined;
}

/** The details as they are logged: within the bounds of a description made here, other fields left out. Null = there are none. */
export function givenDetails({ error_name, stack, cause, errors }: GivenDetails): JsonObject | null {
  const budget = { left: MAX_CHARS };
  const details = {
    ...textIn('error_name', error_name, MAX_NAME, budget),
    ...stackIn(stack, budget),
    ...behindIn({ cause: cause ?? null, errors: errors ?? null }, 0, budget),
  };
  return Object.keys(details).length === 0 ? null : details;
}

interface Budget {
  left: number;
}

function behindIn({ cause, errors }: JsonObject, depth: number, budget: Budget): JsonObject {
  if (depth >= MAX_DEPTH) return {};
  const described = describedOf(cause, depth, budget);
  const list = (Array.isArray(errors) ? errors : [])
    .slice(0, MAX_ERRORS)
    .flatMap((each) => describedOf(each, depth, budget) ?? []);
  return { ...(described === null ? {} : { cause: described }), ...(list.length === 0 ? {} : { errors: list }) };
}

/** Some workers give the text alone. */
function describedOf(given: Json | undefined, depth: number, budget: Budget): JsonObject | null {
  if (budget.left <= 0) return null;
  if (typeof given === 'string') return given === '' ? null : { message: take(given, MAX_MESSAGE, budget) };
  if (!isObject(given)) return null;
  return {
    ...textIn('name', given.name, MAX_NAME, budget),
    message: typeof given.message === 'string' ? take(given.message, MAX_MESSAGE, budget) : '',
    ...stackIn(given.stack, budget),
    ...behindIn(given, depth + 1, budget),
  };
}

function stackIn(given: Json | undefined, budget: Budget): JsonObject {
  const lines = typeof given === 'string' ? given.split('\n', MAX_STACK_LINES).join('\n') : undefined;
  return textIn('stack', lines, MAX_STACK, budget);
}

function textIn(key: string, given: Json | undefined, most: number, budget: Budget): JsonObject {
  return typeof given === 'string' && given !== '' && budget.left > 0 ? { [key]: take(given, most, budget) } : {};
}

function take(text: string, most: number, budget: Budget): string {
  const taken = fitted(text, Math.min(most, budget.left));
  budget.left -= taken.length;
  return toStorableText(taken);
}
