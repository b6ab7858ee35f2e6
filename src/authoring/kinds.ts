import type { Json } from '../../machines/json.ts';
import { definitionNamed, KIND_ALIASES, KIND_NAMES, type Kind, type KindName } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import type { AuthoredKey } from '../../machines/nodes/syntax.ts';
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

/** Fills `reading.kind` from the keys that the kind's syntax has. */
export function readKind({ syntax }: KindDefinition<Kind>, reading: NodeReading): void {
  const { kind, id } = reading;
  const durations = new Set<string>();
  for (const [key, authored] of Object.entries(syntax.keys)) {
    if (authored.holds === 'duration')
      for (const name of readDurationKey(reading, key, authored.spellings ?? [])) durations.add(name);
    else readKey(reading, key, { ...authored, holds: authored.holds });
  }
  syntax.complete?.(kind, { id, durations });
}

interface PlainKey extends AuthoredKey {
  readonly holds: Exclude<AuthoredKey['holds'], 'duration'>;
}

function readKey(reading: NodeReading, key: string, { holds, spellings = [], fallback }: PlainKey): void {
  const { reader, kind, targets } = reading;
  const keys = spellings.includes(key) || fallback === key ? spellings : [...spellings, key];
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
      put(reading, key, reader.json(...keys));
      break;
    case 'text':
      put(reading, key, reader.text(...keys) ?? (fallback === undefined ? null : reader.text(fallback)));
      break;
    case 'target': {
      const found = reader.text(...keys);
      put(reading, key, found);
      if (found !== null) kind[key] = targets.resolve(found.value);
      break;
    }
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

/** Reads a duration; the spellings that were written, of which only one may be. */
function readDurationKey(reading: NodeReading, key: string, spellings: readonly string[]): readonly string[] {
  const { reader } = reading;
  const written: string[] = [];
  for (const name of spellings) {
    const found = readDuration(reader, name);
    if (found === null) continue;
    const [first] = written;
    if (first !== undefined)
      reader.error(
        'given_twice',
        `${reader.name}: "${name}" and "${first}" say the same thing`,
        found.offset,
        'remove one of the two',
      );
    put(reading, key, found);
    written.push(name);
  }
  return written;
}

/** Does a node of the document's kind run before the execution ends, although nothing leads to it? */
export function runsAtEnd(kind: Readonly<Record<string, Json>>): boolean {
  return definitionWritten(kind.type)?.runsAtEnd(kind as unknown as Kind) != null;
}
