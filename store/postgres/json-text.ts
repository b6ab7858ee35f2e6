/** JSON without NUL, which has no place in PostgreSQL's text: like an unpaired surrogate, it becomes the replacement character. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u0000') ? text.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\ufffd') : text;
}
