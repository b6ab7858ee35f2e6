import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { type DrawnFile, type DrawOptions, drawDocument } from '../../src/diagrams/draw.ts';
import { formatOfFile } from '../../src/diagrams/formats.ts';
import { missingGlyphs } from '../../src/diagrams/glyphs.ts';
import { fontOptions } from '../../src/diagrams/png.ts';
import { widthOf, wrapped } from '../../src/diagrams/svg/measure.ts';
import { condition, document, join, parallel, tool } from '../support/workflows.ts';

function drawn(source: unknown, options: Partial<DrawOptions> = {}): Promise<DrawnFile> {
  return drawDocument(source, { format: 'svg', view: 'workflow', execution: null, ...options });
}

const CHAIN = (size: number) =>
  document(
    Array.from({ length: size }, (_, i) => tool(`step ${i}`)),
    Array.from({ length: size - 1 }, (_, i) => [`step ${i}`, `step ${i + 1}`] as const),
  );

describe('a diagram', () => {
  it.each([3, 30, 300])('draws each of %i nodes and its edges once, sized by its text', async (size) => {
    const svg = String((await drawn(CHAIN(size))).content);
    expect(svg.match(/class="jj-node jj-tool"/g)).toHaveLength(size);
    expect(svg.match(/class="jj-edge"/g)).toHaveLength(size + 1);
    expect(svg).toMatch(/\.jj-name\{font-size:13px/);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)" width="\1" height="\2"/.exec(svg) ?? [];
    expect(Number(height)).toBeGreaterThan(60 * size);
    expect(Number(width)).toBeLessThan(400);
  });

  it('frames parallel branches, labels conditions and draws loops backwards', async () => {
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

  it('draws every edge of a node with many of them', async () => {
    const branches = Array.from({ length: 9 }, (_, i) => [i === 8 ? null : `state.x == ${i}`, `target ${i}`] as const);
    const targets = branches.map(([, name]) => tool(name));
    const svg = String((await drawn(document([condition('which', ...branches), ...targets], []))).content);
    expect(svg.match(/class="jj-node jj-finish"/g)).toHaveLength(9);
    expect(String((await drawn(CHAIN(2))).content).match(/class="jj-node jj-finish"/g)).toHaveLength(1);
  });

  it('draws the states of the machine in the machine view', async () => {
    const svg = String((await drawn(CHAIN(2), { view: 'machine' })).content);
    expect(svg).toContain('machine of v1');
    expect(svg).toContain('>completed</text>');
    expect(svg).toContain('>done</text>');
  });

  it('becomes a bitmap that contains its text', async () => {
    const [blank, lettered] = await Promise.all(
      ['a', 'b'].map((letter) => drawn(document([tool('a', { tool_ref: letter.repeat(12) })]), { format: 'png' })),
    );
    const bytes = Buffer.from(lettered?.content ?? '');
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    expect(bytes.equals(Buffer.from(blank?.content ?? ''))).toBe(false);
  });

  it('reports the characters that no font has', async () => {
    const source = document([tool('café → ok'), tool('box \u{10fffc}\u{10fffc}', { tool_ref: '\u{10fffb}' })]);
    expect((await drawn(source, { format: 'png' })).unreadable).toEqual(['\u{10fffc}', '\u{10fffb}']);
    expect((await drawn(source)).unreadable).toEqual([]);
  });

  it('does not report characters that the fonts have', async () => {
    const font = fontOptions('ours');
    expect(await missingGlyphs('plain, café, ↺ · → — ✓ Ω Ж', font)).toEqual([]);
    expect(await missingGlyphs('退款 → 退 🚫 e\u0301', font)).toEqual(['退', '款', '🚫']);
  });
});

describe('the diagrams in docs/diagrams', () => {
  const examples = readdirSync('examples', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => {
      const stem = basename(file, '.yaml');
      const name = ['workflow', 'agent', 'fleet'].includes(stem) ? dirname(file) : stem;
      const { document: sole, workflows } = checkWorkflow(readFileSync(`examples/${file}`, 'utf8'), file);
      return workflows.map(({ document: read }) => ({ name: sole === null ? `${name}.${read.workflow_id}` : name, read }));
    });

  it.each(examples)('show the current example $name', async ({ name, read }) => {
    const committed = readFileSync(`docs/diagrams/${name}.svg`, 'utf8');
    expect(String((await drawn(read)).content), 'draw them again: npm run diagrams').toBe(committed);
  });

  it('contain nothing else', () => {
    expect(readdirSync('docs/diagrams')).toHaveLength(examples.length);
  });
});

describe('text', () => {
  it('wraps at spaces, and inside words that are too long', () => {
    expect(wrapped('a condition of many words', 12, 3)).toEqual(['a condition', 'of many', 'words']);
    expect(wrapped('abcdefghijkl', 5, 3)).toEqual(['abcde', 'fghij', 'kl']);
    expect(wrapped('one two three four', 5, 2)).toEqual(['one', 'two…']);
  });

  it('is wider with wider letters', () => {
    expect(widthOf('WWW', 10)).toBeGreaterThan(widthOf('iii', 10));
    expect(widthOf('漢字', 10)).toBeGreaterThan(20);
    expect(widthOf('🚫⏰', 10)).toBeGreaterThan(25);
    expect(widthOf('abc', 10, true)).toBeGreaterThan(widthOf('abc', 10));
  });

  it('maps a file suffix to a format', () => {
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
