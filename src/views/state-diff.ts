import { isObject, type Json } from '../../machines/json.ts';

/** A JSON patch operation (RFC 6902) with the previous value (`old`). */
export type Change =
  | { readonly op: 'add'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string; readonly old: Json }
  | { readonly op: 'replace'; readonly path: string; readonly value: Json; readonly old: Json };

/**
 * The changes from one value to another, to be applied in order. Arrays are compared by position: an element inserted at the front changes
 * all that follow.
 */
export function stateDiff(before: Json, after: Json, path = ''): readonly Change[] {
  if (isObject(before) && isObject(after)) {
    const common = Object.keys(before).flatMap((key): readonly Change[] => {
      const at = `${path}/${pointerToken(key)}`;
      const old = before[key] ?? null;
      return Object.hasOwn(after, key) ? stateDiff(old, after[key] ?? null, at) : [{ op: 'remove', path: at, old }];
    });
    const added = Object.keys(after).filter((key) => !Object.hasOwn(before, key));
    return [
      ...common,
      ...added.map((key): Change => ({ op: 'add', path: `${path}/${pointerToken(key)}`, value: after[key] ?? null })),
    ];
  }
  if (Array.isArray(before) && Array.isArray(after)) return arrayDiff(before, after, path);
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ op: 'replace', path, value: after, old: before }];
}

function arrayDiff(before: readonly Json[], after: readonly Json[], path: string): readonly Change[] {
  const common = Math.min(before.length, after.length);
  const changed = before.slice(0, common).flatMap((old, i) => stateDiff(old, after[i] ?? null, `${path}/${i}`));
  // Remove from the end, so that a removal does not shift the next one.
  const removed = before.slice(common).map((old, i): Change => ({ op: 'remove', path: `${path}/${common + i}`, old }));
  const added = after.slice(common).map((value, i): Change => ({ op: 'add', path: `${path}/${common + i}`, value }));
  return [...changed, ...removed.reverse(), ...added];
}

/** A key as a JSON pointer token (RFC 6901). */
function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
