import { isObject, type Json } from '../../machines/json.ts';

const FENCE = /^[ \t]*(`{3,}|~{3,})([^`]*)$/;

/** The JSON object or array that a text is, whole or as its only fenced block; undefined = it is neither. */
export function structureIn(text: string): Json | undefined {
  const value = jsonIn(text);
  return isObject(value) || Array.isArray(value) ? value : undefined;
}

/** The JSON value that a text is, whole or as its only fenced block; undefined = it is neither. */
export function jsonIn(text: string): Json | undefined {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const block = onlyFencedBlock(text);
  return block === null ? undefined : parsed(block);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Line by line, in time that grows with the text, which any server may have chosen. */
function onlyFencedBlock(text: string): string | null {
  if (!text.includes('```') && !text.includes('~~~')) return null;
  const lines = text.split('\n');
  let open: { readonly fence: string; readonly line: number } | null = null;
  let block: string | null = null;
  for (const [index, line] of lines.entries()) {
    if (open === null) {
      const fence = FENCE.exec(line)?.[1];
      if (fence !== undefined) open = { fence, line: index };
    } else if (line.trim() === open.fence) {
      if (block !== null) return null;
      block = lines.slice(open.line + 1, index).join('\n');
      open = null;
    }
  }
  return block;
}
