import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { type DrawnFile, type DrawOptions, draw, programOf } from '../../src/diagrams/draw.ts';
import { formatOfFile } from '../../src/diagrams/formats.ts';
import { missingGlyphs } from '../../src/diagrams/glyphs.ts';
import { widthOf, wrapped } from '../../src/diagrams/measure.ts';
import { fontOptions } from '../../src/diagrams/png.ts';
import { condition, document, join, parallel, tool } from '../support/workflows.ts';

function drawn(source: unknown, wanted: Partial<DrawOptions> = {}): Promise<DrawnFile> {
  return draw(programOf(source), { format: 'svg', view: 'workflow', marks: null, ...wanted });
}

const CHAIN = (size: number) =>
  document(
    Array.from({ length: size }, (_, i) => tool(`step ${i}`)),
    Array.from({ length: size - 1 }, (_, i) => [`step ${i}`, `step ${i + 1}`] as const),
  );

describe('a drawing', () => {
  it.each([3, 30, 300])('has each of %i nodes and edges once, at the size of its text', async (size) => {
    const svg = String((await drawn(CHAIN(size))).content);
    expect(svg.match(/class="jj-node jj-tool"/g)).toHaveLength(size);
    expect(svg.match(/class="jj-edge"/g)).toHaveLength(size + 1);
    expect(svg).toMatch(/\.jj-name\{font-size:13px/);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)" width="\1" height="\2"/.exec(svg) ?? [];
    expect(Number(height)).toBeGreaterThan(60 * size);
    expect(Number(width)).toBeLessThan(400);
  });

  it('frames what runs in parallel, names conditions and lets loops go back', async () => {
    const source = document(
      [
        parallel('split', ['a', 'b']),
        tool('a'),
        tool('b'),
        join('meet'),
        condition('good', ['state.ok', 'end'], [null, 'split']),
      ],
      [
        ['a', 'meet'],
        ['b', 'meet'],
        ['meet', 'good'],
      ],
    );
    const svg = String((await drawn(source)).content);
    expect(svg.match(/class="jj-frame"/g)).toHaveLength(1);
    expect(svg).toContain('in parallel, until meet');
    expect(svg).toContain('>state.ok</text>');
    expect(svg.match(/class="jj-edge jj-back"/g)).toHaveLength(1);
    expect(svg).toContain('↺ else');
  });

  it('gives many ways out an end each', async () => {
    const branches = Array.from({ length: 9 }, (_, i) => [i === 8 ? null : `state.x == ${i}`, `way ${i}`] as const);
    const ways = branches.map(([, name]) => tool(name));
    const svg = String((await drawn(document([condition('which', ...branches), ...ways], []))).content);
    expect(svg.match(/class="jj-node jj-finish"/g)).toHaveLength(9);
    expect(String((await drawn(CHAIN(2))).content).match(/class="jj-node jj-finish"/g)).toHaveLength(1);
  });

  it('draws the states of the machine in its other view', async () => {
    const svg = String((await drawn(CHAIN(2), { view: 'machine' })).content);
    expect(svg).toContain('machine of v1');
    expect(svg).toContain('>completed</text>');
    expect(svg).toContain('>done</text>');
  });

  it('is a bitmap with its text in it', async () => {
    const [blank, lettered] = await Promise.all(
      ['a', 'b'].map((letter) => drawn(document([tool('a', { tool_ref: letter.repeat(12) })]), { format: 'png' })),
    );
    const bytes = Buffer.from(lettered?.content ?? '');
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    expect(bytes.equals(Buffer.from(blank?.content ?? ''))).toBe(false);
  });

  it('names the characters that no font has', async () => {
    const source = document([tool('café → ok'), tool('box \u{10fffc}\u{10fffc}', { tool_ref: '\u{10fffb}' })]);
    expect((await drawn(source, { format: 'png' })).unreadable).toEqual(['\u{10fffc}', '\u{10fffb}']);
    expect((await drawn(source)).unreadable).toEqual([]);
  });

  it('finds in the fonts what they have', async () => {
    const font = fontOptions('ours');
    expect(await missingGlyphs('plain, café, ↺ · → — ✓ Ω Ж', font)).toEqual([]);
    expect(await missingGlyphs('退款 → 退 🚫 e\u0301', font)).toEqual(['退', '款', '🚫']);
  });
});

describe('the pictures in docs/diagrams', () => {
  const examples = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

  it.each(examples)('show example %s as it is', async (file) => {
    const name = basename(file, '.yaml') === 'workflow' ? dirname(file) : basename(file, '.yaml');
    const { document: read } = checkWorkflow(readFileSync(`examples/${file}`, 'utf8'), file);
    const kept = readFileSync(`docs/diagrams/${name}.svg`, 'utf8');
    expect(String((await drawn(read)).content), 'draw them again: npm run pictures').toBe(kept);
  });

  it('are of nothing else', () => {
    expect(readdirSync('docs/diagrams')).toHaveLength(examples.length);
  });
});

describe('text', () => {
  it('is wrapped at spaces, words only when they are too long', () => {
    expect(wrapped('a condition of many words', 12, 3)).toEqual(['a condition', 'of many', 'words']);
    expect(wrapped('abcdefghijkl', 5, 3)).toEqual(['abcde', 'fghij', 'kl']);
    expect(wrapped('one two three four', 5, 2)).toEqual(['one', 'two…']);
  });

  it('takes more room in wider letters', () => {
    expect(widthOf('WWW', 10)).toBeGreaterThan(widthOf('iii', 10));
    expect(widthOf('漢字', 10)).toBeGreaterThan(20);
    expect(widthOf('🚫⏰', 10)).toBeGreaterThan(25);
    expect(widthOf('abc', 10, true)).toBeGreaterThan(widthOf('abc', 10));
  });

  it('names the format by the suffix', () => {
    expect(['a.svg', 'b.PNG', 'c.gv', 'd.mmd', 'e.json', 'f.html', 'g.txt', 'svg'].map(formatOfFile)).toEqual([
      'svg',
      'png',
      'dot',
      'mermaid',
      'xstate',
      'html',
      null,
      null,
    ]);
  });
});
