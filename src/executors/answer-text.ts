import { isObject, type Json } from '../../machines/json.ts';

const FENCED = /^[ \t]*(`{3,}|~{3,})[^\n`]*\n([\s\S]*?)\n?^[ \t]*\1[ \t]*$/gm;

/** The JSON object or array that a text is, whole or as its only fenced block; undefined = it is neither. */
export function structureIn(text: string): Json | undefined {
  const whole = structureOf(text);
  if (whole !== undefined) return whole;
  const [block, another] = [...text.matchAll(FENCED)].map((match) => match[2] ?? '');
  return block === undefined || another !== undefined ? undefined : structureOf(block);
}

function structureOf(text: string): Json | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const parsed = JSON.parse(text) as Json;
    return isObject(parsed) || Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
