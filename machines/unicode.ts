import { isObject, type Json } from './json.ts';

/**
 * The path of the first text or key in `value` that has an unpaired surrogate; null = there is none. Such text has no UTF-8: it would come
 * back from the database as other text, and what was logged with it could not be replayed. The path of a key is that of its object.
 */
export function pathOfIllFormedText(value: Json | undefined): string | null {
  return value === undefined || isWellFormed(value) ? null : findIllFormed(value, '');
}

function isWellFormed(value: Json): boolean {
  const left: Json[] = [value];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (typeof part === 'string') {
      if (!part.isWellFormed()) return false;
    } else if (Array.isArray(part)) {
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

/** Error texts are kept in part rather than refused: they come from whatever failed. */
export function toStorableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
