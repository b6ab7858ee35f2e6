/** Matches escaped NULs, which PostgreSQL's text cannot hold, and escaped unpaired surrogates, which UTF-8 cannot encode; also text that looks like them. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/;
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** JSON that PostgreSQL can convert to text: as in text parameters, characters that it cannot hold become the replacement character. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return SUSPICIOUS.test(text) ? text.replace(UNSTORABLE, '$1\ufffd') : text;
}
