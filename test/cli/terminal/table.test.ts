import { describe, expect, it } from 'vitest';
import { paint } from '../../../src/cli/terminal/paint.ts';
import { fields, table } from '../../../src/cli/terminal/table.ts';
import { cut, inline, plain } from '../../../src/cli/terminal/text.ts';

describe('a table', () => {
  it('aligns painted cells by their visible width', () => {
    const { green } = paint(true);
    const text = table(
      [{ title: 'ID' }, { title: 'N', align: 'right' }, { title: 'STATUS' }],
      [
        ['a', '5', green('ok')],
        ['bcd', '12', ''],
      ],
      paint(false),
    );
    expect(text).toBe(`ID    N  STATUS\na     5  ${green('ok')}\nbcd  12`);
  });

  it('aligns characters that are two columns or zero columns wide', () => {
    const text = table(
      [{ title: 'NODE' }, { title: 'N' }],
      [
        ['审批 🚀', '1'],
        ['e\u0301', '2'],
      ],
      paint(false),
    );
    expect(text).toBe('NODE     N\n审批 🚀  1\ne\u0301        2');
    expect(cut('审批节点', 5)).toBe('审批…');
  });

  it('pads field names', () => {
    expect(
      fields(
        [
          ['id', '7'],
          ['status', 'ok'],
        ],
        paint(false),
        ' ',
      ),
    ).toBe(' id      7\n status  ok');
  });
});

describe('untrusted text', () => {
  it('keeps letters of any script, and escapes control and bidirectional characters', () => {
    expect(plain('größe 数 \u001b[1m\r\u202e')).toBe('größe 数 \\u001b[1m\\u000d\\u202e');
  });

  it('keeps newlines only with `lines`', () => {
    expect(plain('a\nb\tc')).toBe('a b  c');
    expect(plain('a\nb', { lines: true })).toBe('a\nb');
  });

  it('is cut by characters, not by code units', () => {
    expect(cut('😀😀😀', 3)).toBe('😀…');
    expect(inline({ a: [1, null] })).toBe('{"a":[1,null]}');
  });
});
