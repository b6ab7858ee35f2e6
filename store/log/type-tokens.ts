import { EVENTS } from '../../machines/events/index.ts';

/**
 * The types of an entry's events, in a text short enough for an index: one token per event, in order. A search counts and finds events by the tokens of
 * their types, without reading the log itself.
 *
 * The token of a released type is a letter, which never changes; other types are written out in hexadecimal digits, which are no such letters. So no token
 * contains another.
 */
const letters: ReadonlyMap<string, string> = new Map(Object.entries(EVENTS).map(([type, { letter }]) => [type, letter]));

/** The tokens of several events. */
export function typeTokens(events: readonly { readonly type: string }[]): string {
  let tokens = '';
  for (const { type } of events) tokens += typeToken(type);
  return tokens;
}

export function typeToken(type: string): string {
  return letters.get(type) ?? `{${Buffer.from(type.replaceAll('\0', '\ufffd')).toString('hex')}}`;
}

/** The tokens one by one. */
export function splitTokens(tokens: string): readonly string[] {
  return tokens.match(/\{[^}]*\}|./g) ?? [];
}
