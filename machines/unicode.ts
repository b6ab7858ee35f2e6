import { isObject, type Json } from './json.ts';

/** Large values of which it is known that all their text is well-formed. */
const wellFormed = new WeakSet<object>();

/** Notes that the text of a value has been found to be well-formed, so that it is not looked at again, nor that of its parts. */
export function noteWellFormed(value: Json): void {
  for (const part of [value, ...(isObject(value) ? Object.values(value) : [])])
    if (typeof part === 'object' && part !== null) wellFormed.add(part);
}

/**
 * The path of the first text or key with an unpaired surrogate; null = none. Such text has no UTF-8 encoding: the database would return
 * another text, and the log could not be replayed. The path of a key is that of its object.
 */
export function pathOfIllFormedText(value: Json | undefined): string | null {
  return value === undefined || isWellFormed(value) ? null : findIllFormed(value, '');
}

function isWellFormed(value: Json): boolean {
  const left: Json[] = [value];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (typeof part === 'string') {
      if (!part.isWellFormed()) return false;
    } else if (typeof part === 'object' && part !== null && wellFormed.has(part)) continue;
    else if (Array.isArray(part)) {
      for (const item of part as readonly Json[]) left.push(item);
    } else if (isObject(part)) {
      for (const key in part) {
        if (!key.isWellFormed()) return false;
        left.push(part[key] ?? null);
      }
    }
  }
  return true;
}

function findIllFormed(value: Json, path: string): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : path;
  if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly Json[]).entries()) {
      const found = findIllFormed(item, `${path}[${index}]`);
      if (found !== null) return found;
    }
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (!key.isWellFormed()) return path;
      const found = findIllFormed(item, path === '' ? key : `${path}.${key}`);
      if (found !== null) return found;
    }
  }
  return null;
}

/** A text that a database can store: characters that it cannot store are replaced. Error texts come from other programs, so they are not refused. */
export function toStorableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
