/** What a person may mean who types into the search box of executions. */
export interface Searches {
  /** Hex digits for the search by id; null = the text is no part of an id. */
  readonly id: string | null;
  /** A label in the API's notation: `key`, or `key:value`; null = the text is no label. */
  readonly label: string | null;
}

const MIN_DIGITS = 4;
const MAX_DIGITS = 32;

/**
 * @example
 * searchesOf('exec_01a214da…'); // → { id: '01a214da…', label: null }
 * searchesOf('customer=c42'); // → { id: null, label: 'customer:c42' }
 * searchesOf('beef'); // → { id: 'beef', label: 'beef' }
 */
export function searchesOf(typed: string): Searches {
  const text = typed.trim();
  const isPrefixed = /^exec_/i.test(text);
  const digits = text
    .replace(/^exec_/i, '')
    .replace(/[-…]/g, '')
    .toLowerCase();
  const isId = /^[0-9a-f]+$/.test(digits) && digits.length >= MIN_DIGITS && digits.length <= MAX_DIGITS;
  const label = labelOf(text);
  return { id: isId ? digits : null, label: isPrefixed && isId ? null : label };
}

/** The first `:` or `=` ends the key. */
function labelOf(text: string): string | null {
  const [, key = '', value] = /^([^:=]*)(?:[:=](.*))?$/su.exec(text) ?? [];
  if (key.trim() === '') return null;
  return value === undefined || value.trim() === '' ? key.trim() : `${key.trim()}:${value.trim()}`;
}
