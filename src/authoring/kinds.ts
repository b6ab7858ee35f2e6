import type { Json } from '../../machines/json.ts';
import type { Field, FieldOptions } from '../../machines/nodes/field.ts';
import { ofFiles } from '../../machines/nodes/field-tables.ts';
import { isTemplate } from '../../machines/nodes/fields.ts';
import { definitionNamed, KIND_ALIASES, KIND_NAMES, type Kind, type KindName } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import { readChoices, readSources, readStarts } from './branches.ts';
import { readDuration } from './durations.ts';
import type { Located } from './map-reader.ts';
import { type NodeReading, recordKindKey } from './node-reader.ts';

/** The definition of a kind by its type as it is written; null = no kind of this runtime. */
export function definitionWritten(type: Json | undefined): KindDefinition<Kind> | null {
  const written = typeof type === 'string' && Object.hasOwn(KIND_ALIASES, type) ? KIND_ALIASES[type] : type;
  const name: KindName | undefined = KIND_NAMES.find((known) => known === written);
  return name === undefined ? null : definitionNamed(name);
}

/** Fills `reading.kind` from the fields of the kind. */
export function readKind({ declaration, complete }: KindDefinition<Kind>, reading: NodeReading): void {
  const durations = new Map<string, string>();
  for (const [key, field] of ofFiles(declaration.fields)) readField(reading, key, field, durations);
  complete(reading.kind, { id: reading.id, durations: new Set(durations.values()) });
}

/** `durations`: the fields of those that were written, by their spellings. */
function readField(reading: NodeReading, key: string, field: Field, durations: Map<string, string>): void {
  const { holds, options } = field;
  const { spellings = [], ofNode } = options;
  const { reader, kind, targets } = reading;
  const keys = spellings.includes(key) || ofNode === key ? spellings : [...spellings, key];
  switch (holds) {
    case 'choices':
      readChoices(reading, key, keys);
      break;
    case 'starts':
      readStarts(reading, key, keys);
      break;
    case 'sources':
      readSources(reading, key, keys);
      break;
    case 'json':
    case 'values':
    case 'schema':
    case 'tools':
    case 'work':
      put(reading, key, reader.json(...keys));
      break;
    case 'text':
      put(reading, key, reader.text(...keys) ?? (ofNode === undefined ? null : reader.text(ofNode)));
      break;
    case 'target': {
      const found = reader.text(...keys);
      put(reading, key, found);
      if (found !== null) kind[key] = targets.resolve(found.value);
      break;
    }
    case 'duration':
      readDurationField(reading, key, options, durations);
      break;
    default: {
      const unhandled: never = holds;
      throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
    }
  }
}

function put(reading: NodeReading, key: string, found: Located<Json> | null): void {
  if (found === null) return;
  reading.kind[key] = found.value;
  recordKindKey(reading, key, found.offset);
}

/** Reads a duration. `written`: those that were, by their spellings; only one that says the same thing may be. */
function readDurationField(
  reading: NodeReading,
  key: string,
  { spellings = [], sameAs = key, template }: FieldOptions,
  written: Map<string, string>,
): void {
  const { reader } = reading;
  for (const name of spellings) {
    const given = template === undefined ? null : reader.json(name);
    const isTemplated = given !== null && isTemplate(given.value);
    const found = isTemplated ? given : readDuration(reader, name);
    if (found === null) continue;
    const [first] = [...written].find(([, other]) => other === key || other === sameAs) ?? [];
    if (first !== undefined) {
      const message = `${reader.name}: "${name}" and "${first}" say the same thing`;
      reader.error('given_twice', message, found.offset, 'remove one of the two');
    }
    put(reading, isTemplated ? (template ?? key) : sameAs, found);
    written.set(name, key);
  }
}

/** Does a node of the document's kind run before the execution ends, although nothing leads to it? */
export function runsAtEnd(kind: Readonly<Record<string, Json>>): boolean {
  return definitionWritten(kind.type)?.runsAtEnd(kind as unknown as Kind) != null;
}
