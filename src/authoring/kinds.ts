import type { Json } from '../../machines/json.ts';
import { definitionNamed, KIND_ALIASES, KIND_NAMES, type Kind, type KindName } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import type { AuthoredKey } from '../../machines/nodes/syntax.ts';
import { readChoices, readSources, readStarts } from './branches.ts';
import { durationOf } from './durations.ts';
import type { Located } from './map-reader.ts';
import { type NodeReader, recordKindKey } from './node-reader.ts';

/** The definition of a kind by its type as it is written; null = no kind of this runtime. */
export function kindWritten(type: Json | undefined): KindDefinition<Kind> | null {
  const written = typeof type === 'string' && Object.hasOwn(KIND_ALIASES, type) ? KIND_ALIASES[type] : type;
  const name: KindName | undefined = KIND_NAMES.find((known) => known === written);
  return name === undefined ? null : definitionNamed(name);
}

/** Fills `reader.kind` from the keys that the kind's syntax has. */
export function readKind({ syntax }: KindDefinition<Kind>, reader: NodeReader): void {
  const { kind, id } = reader;
  const durations = new Set<string>();
  for (const [key, authored] of Object.entries(syntax.keys)) {
    if (authored.holds === 'duration')
      for (const name of readDuration(reader, key, authored.spellings ?? [])) durations.add(name);
    else readKey(reader, key, { ...authored, holds: authored.holds });
  }
  syntax.complete?.(kind, { id, durations });
}

interface PlainKey extends AuthoredKey {
  readonly holds: Exclude<AuthoredKey['holds'], 'duration'>;
}

function readKey(reader: NodeReader, key: string, { holds, spellings = [], fallback }: PlainKey): void {
  const { section, kind, targets } = reader;
  const keys = spellings.includes(key) || fallback === key ? spellings : [...spellings, key];
  switch (holds) {
    case 'choices':
      readChoices(reader, key, keys);
      break;
    case 'starts':
      readStarts(reader, key, keys);
      break;
    case 'sources':
      readSources(reader, key, keys);
      break;
    case 'json':
      put(reader, key, section.json(...keys));
      break;
    case 'text':
      put(reader, key, section.text(...keys) ?? (fallback === undefined ? null : section.text(fallback)));
      break;
    case 'target': {
      const found = section.text(...keys);
      put(reader, key, found);
      if (found !== null) kind[key] = targets.resolve(found.value);
      break;
    }
    default: {
      const unhandled: never = holds;
      throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
    }
  }
}

function put(reader: NodeReader, key: string, found: Located<Json> | null): void {
  if (found === null) return;
  reader.kind[key] = found.value;
  recordKindKey(reader, key, found.at);
}

/** Reads a duration; the spellings that were written, of which only one may be. */
function readDuration(reader: NodeReader, key: string, spellings: readonly string[]): readonly string[] {
  const { section } = reader;
  const written: string[] = [];
  for (const name of spellings) {
    const found = durationOf(section, name);
    if (found === null) continue;
    const [first] = written;
    if (first !== undefined)
      section.error(
        'given_twice',
        `${section.name}: "${name}" and "${first}" say the same thing`,
        found.at,
        'remove one of the two',
      );
    put(reader, key, found);
    written.push(name);
  }
  return written;
}
