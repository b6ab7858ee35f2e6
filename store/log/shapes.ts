import type { Default, EventDefinition } from '../../machines/events/declaration.ts';
import { EVENTS } from '../../machines/events/index.ts';
import { typeToken } from './type-tokens.ts';

/**
 * The form of an entry's body. Every event is a line that begins with a line feed; its parts are separated by tabs. JSON text contains neither, because
 * it escapes control characters.
 *
 *     letter of the type, node    value    value …
 *
 * The keys of the values are not stored: the type's shape has them, in the order of the values. A value is JSON text, or nothing, or `-`. Nothing stands
 * for the key's default, or, without a default, for a key that is absent; `-` for an absent key that has a default. Nothing at the end of a line is left
 * out together with its tabs. The default of `worker_id` is the entry's actor.
 *
 * The node is text, or JSON text if it has characters other than letters, digits and `_.:/- `; `null` = no node. Nothing stands for the node of the line
 * before, and for no node in the first line and where the type concerns the whole execution.
 *
 * Data with other keys, or with keys in another order, follows as a whole: a first value that begins with `*` is that object, or the text that is to be
 * restored byte for byte, as a JSON string. A type without a letter is written out, followed by its node and such a value:
 *
 *     *type    node    *data
 */

/** How the data of one type of event is stored. */
export interface Shape {
  readonly type: string;
  readonly letter: string;
  /** Concerns the whole execution, so its events have no node. */
  readonly ofExecution: boolean;
  /** In the order in which events have them. */
  readonly keys: readonly string[];
  /** For each key, the index of its value in the line. */
  readonly slots: readonly number[];
  /** For each key; undefined = absent. */
  readonly defaults: readonly Default[];
  /** For each slot, how a line says that its key is absent. */
  readonly absent: readonly ('' | '-')[];
}

/** Begins a value that is the whole data. */
export const WHOLE = '*';

function shapeOf(type: string, { letter, ofExecution, fields, stored }: EventDefinition): Shape {
  const keys = [...fields.keys()];
  return {
    type,
    letter,
    ofExecution,
    keys,
    slots: keys.map((key) => stored.indexOf(key)),
    defaults: [...fields.values()],
    absent: stored.map((key) => (fields.get(key) === undefined ? '' : '-')),
  };
}

const SHAPES: ReadonlyMap<string, Shape> = new Map(
  Object.entries(EVENTS).map(([type, definition]) => [type, shapeOf(type, definition)]),
);

/** By the character code of the type's letter. */
const BY_LETTER: readonly (Shape | undefined)[] = byLetter();

function byLetter(): (Shape | undefined)[] {
  const shapes = new Array<Shape | undefined>(128).fill(undefined);
  for (const shape of SHAPES.values()) shapes[shape.letter.charCodeAt(0)] = shape;
  return shapes;
}

export function shapeOfType(type: string): Shape | undefined {
  return SHAPES.get(type);
}

export function shapeOfLetter(code: number): Shape | undefined {
  return BY_LETTER[code];
}

/** The only letters, digits and signs of a name that is stored without quotes. */
const PLAIN_NAME = /^[\w.:/ -]+$/;

/** A node, or a type without a letter. */
export function nameText(name: string | null): string {
  return name === null ? 'null' : PLAIN_NAME.test(name) && name !== 'null' ? name : JSON.stringify(name);
}

/** Text that begins the events of a type, and occurs nowhere else in a body. */
export function bodyPattern(type: string): string {
  const token = typeToken(type);
  return token.length === 1 ? `\n${token}` : `\n${WHOLE}${nameText(type)}\t`;
}
