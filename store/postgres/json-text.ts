/** What stands for NUL, which has no place in PostgreSQL's text, and for an unpaired surrogate, which has no UTF-8; also within text that shows either. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/;
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** JSON of which PostgreSQL can make text: as in parameters that are text, what that has no place for becomes the replacement character. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return SUSPICIOUS.test(text) ? text.replace(UNSTORABLE, '$1\ufffd') : text;
}
