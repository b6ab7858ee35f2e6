import type { Key } from '../terminal/keyboard.ts';
import { cut, width } from '../terminal/text.ts';

/** A line of text that is being typed; `at` counts characters before the cursor. */
export interface Line {
  readonly text: readonly string[];
  readonly at: number;
}

export function lineOf(text: string): Line {
  const characters = [...text];
  return { text: characters, at: characters.length };
}

export function textOf(line: Line): string {
  return line.text.join('');
}

/** The line after a key: what it writes is inserted, the usual ones move and delete; any other changes nothing. */
export function edit(line: Line, key: Key): Line {
  const { text, at } = line;
  const without = (from: number, to: number): Line => ({ text: [...text.slice(0, from), ...text.slice(to)], at: from });
  switch (key.ctrl ? `ctrl-${key.name}` : key.name) {
    case 'backspace':
    case 'ctrl-h':
      return at === 0 ? line : without(at - 1, at);
    case 'delete':
    case 'ctrl-d':
      return without(at, at + 1);
    case 'left':
    case 'ctrl-b':
      return { text, at: Math.max(0, at - 1) };
    case 'right':
    case 'ctrl-f':
      return { text, at: Math.min(text.length, at + 1) };
    case 'home':
    case 'ctrl-a':
      return { text, at: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, at: text.length };
    case 'ctrl-u':
      return without(0, at);
    case 'ctrl-k':
      return { text: text.slice(0, at), at };
    case 'ctrl-w': {
      const start = text.slice(0, at).join('').trimEnd().lastIndexOf(' ') + 1;
      return without([...text.slice(0, at).join('').slice(0, start)].length, at);
    }
    default: {
      const typed = [...key.text];
      return typed.length === 0 ? line : { text: [...text.slice(0, at), ...typed, ...text.slice(at)], at: at + typed.length };
    }
  }
}

/** The part of the line around its cursor, which is drawn in it, within `columns`. */
export function lineText({ text, at }: Line, columns: number): string {
  let before = '';
  for (let i = at - 1; i >= 0 && width(before) + width(text[i] ?? '') < columns; i--) before = `${text[i]}${before}`;
  return cut(`${before}▌${text.slice(at).join('')}`, columns);
}
