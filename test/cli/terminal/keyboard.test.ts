import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Keyboard } from '../../../src/cli/terminal/keyboard.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Names of the decoded keys, with `=text` for typed text. The chunks arrive without delay. */
function keysOf(...pieces: readonly (string | Uint8Array)[]): readonly string[] {
  const keys: string[] = [];
  const keyboard = new Keyboard(({ name, text, ctrl }) =>
    keys.push(`${ctrl ? 'ctrl-' : ''}${name}${text === '' ? '' : `=${text}`}`),
  );
  for (const piece of pieces) keyboard.write(piece);
  vi.runAllTimers();
  keyboard.close();
  return keys;
}

describe('a keyboard', () => {
  it('decodes Esc as a separate key, and loses no following key', () => {
    expect(keysOf('\u001b')).toEqual(['escape']);
    expect(keysOf('\u001b', 'a')).toEqual(['escape', 'a=a']);
    expect(keysOf('\u001b', '\r')).toEqual(['escape', 'return']);
    expect(keysOf('\u001b', 'ä', 'q')).toEqual(['escape', '=ä', 'q=q']);
    expect(keysOf('\u001b', '\u001b', '\u001b[A')).toEqual(['escape', 'escape', 'up']);
    expect(keysOf('x\u001b\u001b', 'y')).toEqual(['x=x', 'escape', 'escape', 'y=y']);
  });

  it('reports Esc when no sequence follows in time', () => {
    const keys: string[] = [];
    const keyboard = new Keyboard(({ name }) => keys.push(name));
    keyboard.write('\u001b');
    expect(keys).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(keys).toEqual(['escape']);
    keyboard.write('[');
    expect(keys).toEqual(['escape', '']);
    keyboard.close();
  });

  it.each([
    [['\u001b[A']],
    [['\u001b', '[A']],
    [['\u001b[', 'A']],
    [['\u001b', '[', 'A']],
    [['\u001bOA']],
    [['\u001b', 'OA']],
    [['\u001bO', 'A']],
    [['\u001b[1;3A']],
    [['\u001b', '[1;', '3A']],
  ])('decodes %j as arrow up', (pieces) => {
    expect(keysOf(...pieces)).toEqual(['up']);
  });

  it('decodes keys with Alt as keys without text', () => {
    expect(keysOf('\u001bb', 'c')).toEqual(['b', 'c=c']);
    expect(keysOf('\u001b\u007f')).toEqual(['backspace']);
  });

  it('decodes pasted input as text, in any chunks', () => {
    expect(keysOf('\u001b', '[200~', 'q\n', '\u001b', '[201~', 'q')).toEqual(['=q', '= ', 'q=q']);
  });

  it('joins characters that arrive in several chunks', () => {
    const [first = 0, ...rest] = Buffer.from('é');
    expect(keysOf(Buffer.from([first]), Buffer.from(rest))).toEqual(['=é']);
  });
});
