import type { Key } from '../terminal/keyboard.ts';
import { cut, width } from '../terminal/text.ts';

/** A line of text that is being typed. `cursor` is the number of characters before the cursor. */
export interface InputLine {
  readonly text: readonly string[];
  readonly cursor: number;
}

export function inputLine(text: string): InputLine {
  const characters = [...text];
  return { text: characters, cursor: characters.length };
}

export function textOf(line: InputLine): string {
  return line.text.join('');
}

/** The line after a key. Text is inserted; the usual editing keys move and delete; other keys are ignored. */
export function edit(line: InputLine, key: Key): InputLine {
  const { text, cursor } = line;
  const without = (from: number, to: number): InputLine => ({ text: [...text.slice(0, from), ...text.slice(to)], cursor: from });
  switch (key.ctrl ? `ctrl-${key.name}` : key.name) {
    case 'backspace':
    case 'ctrl-h':
      return cursor === 0 ? line : without(cursor - 1, cursor);
    case 'delete':
    case 'ctrl-d':
      return without(cursor, cursor + 1);
    case 'left':
    case 'ctrl-b':
      return { text, cursor: Math.max(0, cursor - 1) };
    case 'right':
    case 'ctrl-f':
      return { text, cursor: Math.min(text.length, cursor + 1) };
    case 'home':
    case 'ctrl-a':
      return { text, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, cursor: text.length };
    case 'ctrl-u':
      return without(0, cursor);
    case 'ctrl-k':
      return { text: text.slice(0, cursor), cursor };
    case 'ctrl-w': {
      const start = text.slice(0, cursor).join('').trimEnd().lastIndexOf(' ') + 1;
      return without([...text.slice(0, cursor).join('').slice(0, start)].length, cursor);
    }
    default: {
      const typed = [...key.text];
      return typed.length === 0
        ? line
        : { text: [...text.slice(0, cursor), ...typed, ...text.slice(cursor)], cursor: cursor + typed.length };
    }
  }
}

/** The part of the line around the cursor, with the cursor drawn, at most `columns` wide. */
export function lineText({ text, cursor }: InputLine, columns: number): string {
  let before = '';
  for (let i = cursor - 1; i >= 0 && width(before) + width(text[i] ?? '') < columns; i--) before = `${text[i]}${before}`;
  return cut(`${before}▌${text.slice(cursor).join('')}`, columns);
}
