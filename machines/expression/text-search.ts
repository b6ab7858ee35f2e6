/** Longer texts than this are looked for in linear time: the engine's own search can take the product of both lengths. */
const LONG = 32;

/** Like `String.prototype.indexOf`, in time that is proportional to the text. */
export function indexOfText(text: string, part: string, from: number): number {
  return part.length <= LONG ? text.indexOf(part, from) : new LinearSearch(part).in(text, from);
}

/** Like `String.prototype.split`, in time that is proportional to the text. `separator` is not empty. */
export function splitText(text: string, separator: string, limit: number): string[] {
  if (separator.length <= LONG || separator.length > text.length) return text.split(separator, limit);
  const search = new LinearSearch(separator);
  const parts: string[] = [];
  let at = 0;
  for (let end = search.in(text, at); end >= 0; end = search.in(text, at)) {
    parts.push(text.slice(at, end));
    at = end + separator.length;
  }
  parts.push(text.slice(at));
  return parts.slice(0, limit);
}

/** @see Knuth, Morris and Pratt, "Fast pattern matching in strings" (1977) */
class LinearSearch {
  readonly #part: string;
  /** For each length of what is alike, the longest shorter beginning of the part that it ends with. Null = not known yet. */
  #shorter: Int32Array | null = null;

  constructor(part: string) {
    this.#part = part;
  }

  /** The first place from `from` on at which the part stands; -1 = nowhere. */
  in(text: string, from: number): number {
    const part = this.#part;
    if (part.length > text.length - from) return -1;
    this.#shorter ??= shorterBeginnings(part);
    let alike = 0;
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      while (alike > 0 && part.charCodeAt(alike) !== code) alike = this.#shorter[alike] as number;
      if (part.charCodeAt(alike) === code) alike += 1;
      if (alike === part.length) return at + 1 - alike;
    }
    return -1;
  }
}

function shorterBeginnings(part: string): Int32Array {
  const shorter = new Int32Array(part.length + 1);
  let alike = 0;
  for (let at = 1; at < part.length; at += 1) {
    const code = part.charCodeAt(at);
    while (alike > 0 && part.charCodeAt(alike) !== code) alike = shorter[alike] as number;
    if (part.charCodeAt(alike) === code) alike += 1;
    shorter[at + 1] = alike;
  }
  return shorter;
}
