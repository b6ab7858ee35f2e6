import { describe, expect, it } from 'vitest';
import { edit, inputLine, lineText, textOf } from '../../../src/cli/live/input-line.ts';

const key = (name: string, ctrl = false) => ({ name, text: '', ctrl });
const typed = (text: string) => ({ name: text, text, ctrl: false });

describe('an input line', () => {
  it('inserts text at the cursor', () => {
    const line = edit(edit(inputLine('ac'), key('left')), typed('b'));
    expect(textOf(line)).toBe('abc');
    expect(lineText(line, 20)).toBe('ab▌c');
  });

  it.each([
    ['backspace', false, 'on tw'],
    ['w', true, 'on '],
    ['u', true, ''],
    ['home', false, 'on two'.slice(0, 6)],
  ])('%s (ctrl %s) at its end leaves "%s"', (name, ctrl, left) => {
    expect(textOf(edit(inputLine('on two'), key(name, ctrl)))).toBe(left);
  });

  it('deletes whole characters', () => {
    expect(textOf(edit(inputLine('a🎉'), key('backspace')))).toBe('a');
  });

  it('deletes up to the end, and does not move beyond the ends', () => {
    const start = edit(edit(inputLine('abc'), key('home')), key('left'));
    expect(textOf(edit(edit(start, key('right')), key('k', true)))).toBe('a');
    expect(edit(inputLine('abc'), key('right'))).toEqual(inputLine('abc'));
  });

  it('shows the part around the cursor of a long line', () => {
    const line = inputLine('0123456789');
    expect(lineText(line, 5)).toBe('6789▌');
    expect(lineText(edit(line, key('home')), 5)).toBe('▌012…');
  });
});
