import { isObject, type JsonObject } from '../../../machines/json.ts';

/** The fields that a schema knows, at every depth. What a schema leaves open (`input`, `payload`, labels) is not looked into. */
export interface KnownFields {
  /** Fields by name; null = nothing inside is checked. */
  readonly fields: ReadonlyMap<string, KnownFields | null>;
  /** Other fields are allowed too. */
  readonly open: boolean;
  /** Of each item, if the value is a list. */
  readonly items: KnownFields | null;
}

export interface UnknownField {
  /** `items.0.txt` */
  readonly path: string;
  readonly name: string;
  /** The fields that may stand there. */
  readonly known: readonly string[];
}

/** The known fields of a JSON Schema; null if it allows anything. */
export function knownFields(schema: unknown): KnownFields | null {
  if (!isObject(schema)) return null;
  const choices = [schema.anyOf, schema.oneOf].find(Array.isArray);
  if (choices !== undefined) return union(choices.filter((choice) => !isScalar(choice)).map(knownFields));
  if (schema.type === 'array') {
    const items = knownFields(schema.items);
    return items === null ? null : { fields: new Map(), open: true, items };
  }
  if (!isObject(schema.properties)) return null;
  const fields = new Map(Object.entries(schema.properties).map(([name, value]) => [name, knownFields(value)]));
  const open = schema.additionalProperties !== undefined && schema.additionalProperties !== false;
  return open && [...fields.values()].every((field) => field === null) ? null : { fields, open, items: null };
}

/** Up to `limit` fields of the value that are not known, in the order in which they were written. */
export function unknownFields(value: unknown, known: KnownFields, limit: number, path = ''): readonly UnknownField[] {
  const found: UnknownField[] = [];
  if (Array.isArray(value)) {
    if (known.items === null) return found;
    for (let i = 0; i < value.length && found.length < limit; i += 1)
      found.push(...unknownFields(value[i], known.items, limit - found.length, inside(path, String(i))));
  } else if (isObject(value as JsonObject)) {
    for (const name in value as JsonObject) {
      if (found.length >= limit) break;
      const inner = known.fields.get(name);
      if (inner === undefined) {
        if (!known.open) found.push({ path: inside(path, name), name, known: [...known.fields.keys()] });
      } else if (inner !== null)
        found.push(...unknownFields((value as JsonObject)[name], inner, limit - found.length, inside(path, name)));
    }
  }
  return found;
}

function isScalar(schema: unknown): boolean {
  return isObject(schema) && typeof schema.type === 'string' && schema.type !== 'object' && schema.type !== 'array';
}

/** What several schemas know together; null if one of them allows anything. */
function union(choices: readonly (KnownFields | null)[]): KnownFields | null {
  const [first, ...others] = choices;
  if (first === undefined || first === null) return null;
  return others.reduce<KnownFields | null>((a, b) => (a === null || b === null ? null : merged(a, b)), first);
}

function merged(a: KnownFields, b: KnownFields): KnownFields {
  const fields = new Map(a.fields);
  for (const [name, field] of b.fields) fields.set(name, fields.has(name) ? union([fields.get(name) ?? null, field]) : field);
  // A list beside an object: the fields of the object are checked.
  const open = a.fields.size === 0 || b.fields.size === 0 ? a.open && b.open : a.open || b.open;
  return { fields, open, items: a.items ?? b.items };
}

function inside(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
