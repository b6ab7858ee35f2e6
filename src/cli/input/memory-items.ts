import type { Json, JsonObject } from '../../../machines/json.ts';
import { Failure } from '../failure.ts';

/** A part of a file is at most this long, in characters, unless one of its paragraphs is longer. */
const PART_LENGTH = 1_500;
/** A longer paragraph is cut. */
const MAX_PART_LENGTH = 8_000;

/** An item as the API takes it. */
export interface NewItem {
  readonly id?: string | null;
  readonly text: string;
  readonly metadata?: JsonObject | null;
}

/** The items of a file: a line of `.jsonl` or `.ndjson` is an item or its text; any other file is text, of which each part of a few paragraphs is an item. */
export function itemsOfFile(name: string, content: string): readonly NewItem[] {
  if (/\.(?:jsonl|ndjson)$/i.test(name)) return content.split('\n').flatMap((line, index) => itemOfLine(name, line, index + 1));
  return partsOf(content).map((text, index) => ({
    id: `${name}#${index + 1}`,
    text,
    metadata: { source: name, part: index + 1 },
  }));
}

function itemOfLine(name: string, line: string, number: number): readonly NewItem[] {
  if (line.trim() === '') return [];
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch {
    throw new Failure(`${name}, line ${number}: is not JSON`, { exitCode: 2 });
  }
  if (typeof value === 'string') return [{ text: value }];
  const { id, text, metadata } = (typeof value === 'object' && value !== null ? value : {}) as JsonObject;
  if (typeof text === 'string' && text !== '')
    return [
      {
        text,
        ...(id === undefined ? {} : { id: String(id) }),
        ...(metadata === undefined ? {} : { metadata: metadata as JsonObject }),
      },
    ];
  throw new Failure(`${name}, line ${number}: is neither a text nor an object with a text`, {
    hint: 'Write {"text": "…", "id": "…", "metadata": {…}}; only the text is required.',
    exitCode: 2,
  });
}

/** Whole paragraphs, as many as are together not too long. */
export function partsOf(content: string): readonly string[] {
  const paragraphs = content
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .flatMap((paragraph) => cutParagraph(paragraph));
  const parts: string[] = [];
  for (const paragraph of paragraphs) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + paragraph.length + 2 <= PART_LENGTH)
      parts[parts.length - 1] = `${last}\n\n${paragraph}`;
    else parts.push(paragraph);
  }
  return parts;
}

/** Cuts at the end of a word. */
function cutParagraph(paragraph: string): readonly string[] {
  const parts: string[] = [];
  let rest = paragraph;
  while (rest.length > MAX_PART_LENGTH) {
    const at = rest.slice(0, MAX_PART_LENGTH).search(/\s\S*$/);
    const end = at > 0 ? at : MAX_PART_LENGTH - 1;
    parts.push(rest.slice(0, end).toWellFormed());
    rest = rest.slice(end).trimStart().toWellFormed();
  }
  return [...parts, rest];
}
