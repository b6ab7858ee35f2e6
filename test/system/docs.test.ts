import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';

const MAX_COLUMNS = 100;
const EXAMPLES = readdirSync('examples', { withFileTypes: true }).flatMap((entry) => {
  const page = join('examples', entry.isDirectory() ? entry.name : '', 'README.md');
  return (entry.isDirectory() || entry.name === 'README.md') && existsSync(page) ? [page] : [];
});
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'test/golden/README.md',
  'test/mutation/README.md',
  'test/simulation/README.md',
  ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? [join('docs', name)] : [])),
  ...EXAMPLES,
];
/** Pages that name paths from the top of the repository; ARCHITECTURE.md names them from their modules. */
const PAGES_FOR_USERS = PAGES.filter((page) => page !== 'ARCHITECTURE.md' && !page.startsWith('test'));
/** Names of what is made here and belongs to no repository. */
const IGNORED = new Set(readFileSync('.gitignore', 'utf8').match(/[\w.-]+/g));
/** Files and folders of this repository. */
const PATHS = new Set(
  readdirSync('.', { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === '.git' || IGNORED.has(entry.name)) return [];
    const inside = entry.isDirectory() ? readdirSync(entry.name, { recursive: true, encoding: 'utf8' }) : [];
    return [entry.name, ...inside.map((path) => join(entry.name, path))];
  }),
);
/** Made by the build. */
const BUILT = /^dist(\/|$)/;

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

function snippets(page: string, language: string): Snippet[] {
  const source = readFileSync(page, 'utf8');
  return [...source.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => ({
    page,
    line: source.slice(0, match.index).split('\n').length + 1,
    text: match[1] ?? '',
  }));
}

describe('the documentation', () => {
  const workflows = PAGES.flatMap((page) => snippets(page, 'yaml'));

  it('contains workflows', () => expect(workflows.length).toBeGreaterThan(10));

  it.each(workflows)('shows a workflow without errors or warnings: $page:$line', ({ page, text }) => {
    const { workflows: units, diagnostics } = checkWorkflow(text, page);
    expect(diagnostics).toEqual([]);
    expect(units).not.toEqual([]);
  });

  it('lists events and workflow documents as their schemas describe them', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/reference-docs.mjs', '--check'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it.each(PAGES)('has lines of at most 100 characters: %s', (page) => {
    expect(longLines(readFileSync(page, 'utf8'))).toEqual([]);
  });

  it.each(EXAMPLES)('has lines of at most 100 characters in code, too: %s', (page) => {
    expect(tooLong(readFileSync(page, 'utf8'))).toEqual([]);
  });

  it.each(PAGES)('has tables whose rows are lines, under a heading and a separator: %s', (page) => {
    expect(brokenTables(readFileSync(page, 'utf8'))).toEqual([]);
  });

  it.each([
    ['a table wrapped like prose', '| a | b | | --- | --- | | text of a cell\nthat was wrapped | its end |'],
    ['a row that begins with text', '| a | b |\n| --- | --- |\ntext | c |'],
    ['a table without separator', '| a | b |\n| c | d |'],
    ['a row with a cell too many', '| a | b |\n| --- | --- |\n| `c|d` | e |'],
  ])('would not have %s', (_, text) => expect(brokenTables(text)).not.toEqual([]));

  it.each(PAGES)('links only to existing files: %s', (page) => {
    const source = readFileSync(page, 'utf8');
    const links = [...source.matchAll(/\]\(([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target));
    const missing = links.filter((target) => !exists(join(page, '..', target)));
    expect(missing).toEqual([]);
  });

  it.each(PAGES_FOR_USERS)('names only existing paths: %s', (page) => {
    const named = pathsIn(readFileSync(page, 'utf8'));
    const missing = named.filter((path) => !PATHS.has(path) && !exists(join(page, '..', path)));
    expect(missing).toEqual([]);
  });

  it('names only existing modules and files in ARCHITECTURE.md, by the ends of their paths', () => {
    const named = modulesIn(readFileSync('ARCHITECTURE.md', 'utf8'));
    expect(named.length).toBeGreaterThan(200);
    const ends = new Set([...PATHS].flatMap((path) => path.split('/').map((_, from, parts) => parts.slice(from).join('/'))));
    expect(named.filter((path) => !ends.has(path) && !BUILT.test(path))).toEqual([]);
  });

  it.each(PAGES)('links only to existing headings: %s', (page) => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g)]
      .map(([, target = '', anchor = '']) => ({ target: target === '' ? page : join(page, '..', target), anchor }))
      .filter(({ target }) => target.endsWith('.md') && exists(target));
    expect(links.filter(({ target, anchor }) => !anchorsOf(target).has(anchor))).toEqual([]);
  });

  it('is listed in README.md, every page of it', () => {
    const listed = ['README.md', 'docs/agents.md'].map((page) => readFileSync(page, 'utf8')).join('');
    const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));
    expect(pages.filter((name) => !listed.includes(`](docs/${name})`) && !listed.includes(`](${name})`))).toEqual([]);
  });
});

/** Paths that begin with a folder at the top of the repository. */
function pathsIn(text: string): readonly string[] {
  const paths = [...text.matchAll(/(?<![\w/<>.:…-])([\w.-]+)(?:\/[\w.@-]+)+/g)];
  return paths.flatMap(([path, top = '']) => (PATHS.has(top) ? [path.replace(/\.$/, '')] : []));
}

/** Folders, and files of the languages of this repository. */
function modulesIn(text: string): readonly string[] {
  const files = text.matchAll(/(?<![\w/<>.:-])[\w.@-]+(?:\/[\w.-]+)*\.(?:tsx?|[mc]?js|sql|md|json)\b/g);
  const folders = text.matchAll(/(?<![\w/<>.:-])[\w.-]+(?:\/[\w.-]+)*\/(?![\w<{])/g);
  return [...files, ...folders].map(([path]) => path.replace(/\/$/, ''));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Lines of prose that are too long. Tables, code, images and comments cannot be wrapped. */
function longLines(text: string): readonly string[] {
  return tooLong(withoutCode(text));
}

function tooLong(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.length > MAX_COLUMNS && !/^\s*(\||!\[|<!--)/.test(line));
}

/** The first line of each paragraph that was meant as a table and is not shown as one. */
function brokenTables(text: string): readonly string[] {
  return withoutCode(text)
    .split(/\n\s*\n/)
    .filter((paragraph) => hasBars(paragraph) && !isTable(paragraph))
    .map((paragraph) => paragraph.trim().split('\n')[0] ?? '');
}

function hasBars(paragraph: string): boolean {
  const prose = paragraph.replaceAll(/`[^`]*`/g, '');
  return /^\s*\||\|\s*$| \| /m.test(prose);
}

function isTable(paragraph: string): boolean {
  const rows = paragraph
    .replace(/^\n+/, '')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
  const cells = rows.map((row) => row.match(/(?<!\\)\|/g)?.length);
  const isSeparated = /^\|( :?-+:? \|)+$/.test(rows[1] ?? '');
  return isSeparated && rows.every((row, index) => row.startsWith('|') && row.endsWith('|') && cells[index] === cells[0]);
}

/** Blocks of code are left out, with their fences. */
function withoutCode(text: string): string {
  return text.replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, '');
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EISDIR';
  }
}
