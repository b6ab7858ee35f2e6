import { secondsOf } from '../duration.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { MAX_NAME_LENGTH, MAX_SECONDS } from '../limits.ts';
import { fitted } from '../shortened.ts';
import { nameProblem } from './names.ts';
import type { Hint, Problems } from './problems.ts';

/** The position of an object in the document: messages begin with `prefix`, paths with `path`. */
export interface FieldLocation {
  /** `ir.` or `node "fetch": `. */
  readonly prefix: string;
  /** `` or `nodes.fetch.kind.`. */
  readonly path: string;
  readonly node_id: string | null;
}

/** `{key: value}`, or nothing when there is no value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

interface FoundField {
  readonly key: string;
  readonly value: Json;
}

const NO_ALIASES: readonly string[] = [];

/** Other spellings by key. */
type Aliases = Readonly<Record<string, readonly string[]>>;

/**
 * Reads one object of a document key by key and notes every problem instead of stopping at the first. A method takes a
 * key and its other spellings: the first that is present counts, null counts as absent, and a value of the wrong type is
 * noted and counts as absent.
 */
export class Fields {
  readonly raw: JsonObject;
  readonly location: FieldLocation;
  readonly problems: Problems;
  /** Keys that were asked for, present or not. */
  readonly knownKeys: Set<string>;
  readonly #aliases: Aliases;

  constructor(
    raw: JsonObject,
    location: FieldLocation,
    problems: Problems,
    aliases: Aliases = {},
    knownKeys = new Set<string>(),
  ) {
    this.raw = raw;
    this.location = location;
    this.problems = problems;
    this.knownKeys = knownKeys;
    this.#aliases = aliases;
  }

  /** The same object, read with other spellings of its keys. */
  withAliases(aliases: Aliases): Fields {
    return new Fields(this.raw, this.location, this.problems, aliases, this.knownKeys);
  }

  /** A text; an empty one counts as absent. */
  text(...keys: string[]): string | undefined {
    return this.#read(keys, 'text', (value) => (typeof value === 'string' ? value : null)) || undefined;
  }

  /** A text that must be there; the empty text when it is not. */
  requiredText(...keys: string[]): string {
    const found = this.#find(keys);
    if (found === null || found.value === '') this.error('missing_key', keys[0] ?? '', 'is required');
    return this.text(...keys) ?? '';
  }

  /** The name of a node, workflow or tool. Messages quote names, so their length is limited like that of node ids. */
  name(...keys: string[]): string | undefined {
    const wanted = `a name of at most ${MAX_NAME_LENGTH} characters`;
    return this.#read(keys, wanted, (value) => (isName(value) ? value : null)) || undefined;
  }

  requiredName(...keys: string[]): string {
    const found = this.#find(keys);
    if (found === null || found.value === '') this.error('missing_key', keys[0] ?? '', 'is required');
    return this.name(...keys) ?? '';
  }

  /** A version: a text, or a number that is read as one. */
  version(...keys: string[]): string | undefined {
    const text = this.#read(keys, 'text', (value) =>
      typeof value === 'string' || typeof value === 'number' ? String(value) : null,
    );
    return text || undefined;
  }

  /** A key of the state. */
  stateKey(...keys: string[]): string | undefined {
    const name = this.text(...keys);
    const problem = name === undefined ? null : nameProblem(name);
    if (problem === null) return name;
    this.error('bad_name', keys[0] ?? '', problem);
    return undefined;
  }

  /** Keys of the state, by names. */
  stateKeys(...keys: string[]): Readonly<Record<string, string>> | undefined {
    const named = this.#read(keys, 'an object of state keys', (value) =>
      isObject(value) && Object.values(value).every((item) => typeof item === 'string') ? value : null,
    ) as Readonly<Record<string, string>> | undefined;
    const problem = Object.values(named ?? {}).flatMap((name) => nameProblem(name) ?? [])[0];
    if (problem === undefined) return named;
    this.error('bad_name', keys[0] ?? '', problem);
    return undefined;
  }

  /** A duration in seconds, greater than 0 unless `zero` is allowed. */
  seconds(keys: readonly string[], zero: 'zero' | 'positive' = 'positive'): number | undefined {
    return this.#read(keys, `a number of seconds ${zero === 'zero' ? 'from 0' : 'greater than 0'}`, (value) => {
      const seconds = secondsOf(value);
      return seconds !== null && (seconds > 0 || (zero === 'zero' && seconds === 0)) && seconds <= MAX_SECONDS ? seconds : null;
    });
  }

  number(keys: readonly string[], minimum: number): number | undefined {
    return this.#read(keys, `a number from ${minimum}`, (value) =>
      typeof value === 'number' && value >= minimum ? value : null,
    );
  }

  integer(keys: readonly string[], minimum: number, maximum = Number.MAX_SAFE_INTEGER): number | undefined {
    const range = maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `from ${minimum} to ${maximum}`;
    return this.#read(keys, `a whole number ${range}`, (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum ? value : null,
    );
  }

  boolean(...keys: string[]): boolean | undefined {
    return this.#read(keys, 'true or false', (value) => (typeof value === 'boolean' ? value : null));
  }

  object(...keys: string[]): JsonObject | undefined {
    return this.#read(keys, 'an object', (value) => (isObject(value) ? value : null));
  }

  list(...keys: string[]): readonly Json[] | undefined {
    return this.#read(keys, 'a list', (value) => (Array.isArray(value) ? value : null));
  }

  names(...keys: string[]): string[] {
    return (
      this.#read(keys, `a list of names of at most ${MAX_NAME_LENGTH} characters`, (value) =>
        Array.isArray(value) && value.every((item: Json) => isName(item) && item !== '') ? (value as string[]) : null,
      ) ?? []
    );
  }

  /** Text → text. */
  labels(...keys: string[]): Record<string, string> {
    return (this.#read(keys, 'an object of texts', (value) =>
      isObject(value) && Object.values(value).every((item) => typeof item === 'string') ? value : null,
    ) ?? {}) as Record<string, string>;
  }

  oneOf<T extends string>(keys: readonly string[], choices: readonly T[]): T | undefined {
    const names = choices.map((choice) => `"${choice}"`).join(', ');
    return this.#read(keys, `one of ${names}`, (value) => choices.find((choice) => choice === value) ?? null);
  }

  /** Any value. */
  json(...keys: string[]): Json | undefined {
    return this.#find(keys)?.value;
  }

  /** A mapping: an object of templates, or one template that gives the whole value. */
  mapping(...keys: string[]): JsonObject | string {
    const wanted = 'an object of values and templates';
    return this.#read(keys, wanted, (value) => (isObject(value) || typeof value === 'string' ? value : null)) || {};
  }

  error(code: string, key: string, problem: string, hint: Hint = null): void {
    this.problems.error(code, `${this.location.prefix}${key} ${problem}`, this.#locationOf(key, hint));
  }

  warning(code: string, key: string, problem: string, hint: Hint = null): void {
    this.problems.warning(code, `${this.location.prefix}${key} ${problem}`, this.#locationOf(key, hint));
  }

  /** A reader of an object inside this one. */
  inside(key: string, raw: JsonObject): Fields {
    const { prefix, path, node_id } = this.location;
    return new Fields(raw, { prefix: `${prefix}${key}.`, path: `${path}${key}.`, node_id }, this.problems);
  }

  #locationOf(key: string, hint: Hint): { node_id: string | null; path: string; hint: Hint } {
    return { node_id: this.location.node_id, path: `${this.location.path}${key}`, hint };
  }

  #find(keys: readonly string[]): FoundField | null {
    let found: FoundField | null = null;
    for (const key of keys) {
      found = this.#look(key, found);
      for (const other of this.#aliases[key] ?? NO_ALIASES) found = this.#look(other, found);
    }
    return found;
  }

  #look(key: string, before: FoundField | null): FoundField | null {
    this.knownKeys.add(key);
    if (before !== null || !Object.hasOwn(this.raw, key)) return before;
    const value = this.raw[key];
    return value === null || value === undefined ? null : { key, value };
  }

  #read<T>(keys: readonly string[], wanted: string, convert: (value: Json) => T | null): T | undefined {
    const found = this.#find(keys);
    if (found === null) return undefined;
    const converted = convert(found.value);
    if (converted !== null) return converted;
    this.error('wrong_type', found.key, `must be ${wanted}, not ${describe(found.value)}`);
    return undefined;
  }
}

function isName(value: Json): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return fitted(JSON.stringify(value), 60);
}
