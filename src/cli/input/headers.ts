import { usageFailure } from '../failure.ts';

/** The headers that `--header "Name: value"` gives. */
export function headersArgument(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(given.map(headerOf));
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(':');
  if (at < 1) throw usageFailure('--header must be "Name: value"');
  return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** An address of an agent. */
export function urlArgument(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  throw usageFailure(`give an http:// or https:// URL, not ${JSON.stringify(text)}`);
}
