import type { IncomingHttpHeaders } from 'node:http';

/** Name of the header, in a reply, that says which preference was followed. */
export const PREFERENCE_APPLIED = 'preference-applied';
export const STRICT = 'handling=strict';

const PREFERENCE = /([^\s,;="]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?((?:\s*;[^,]*)?)(?:,|$)/g;

/** Whether `Prefer: handling=strict` is requested. The first `handling` counts, as RFC 7240 says; unknown preferences are ignored. */
export function prefersStrict({ prefer }: IncomingHttpHeaders): boolean {
  const text = Array.isArray(prefer) ? prefer.join(',') : prefer;
  if (text === undefined || !/handling/i.test(text)) return false;
  for (const [, name = '', value = ''] of text.trim().matchAll(PREFERENCE)) {
    if (name.toLowerCase() === 'handling') return value.replaceAll('"', '').toLowerCase() === 'strict';
  }
  return false;
}
