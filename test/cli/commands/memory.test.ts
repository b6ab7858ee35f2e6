import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itemsOfFile, partsOf } from '../../../src/cli/input/memory-items.ts';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

describe('jamjet memory', () => {
  it('adds, searches, lists and removes', async () => {
    const { folder, jamjet } = server();
    writeFileSync(join(folder, 'handbook.md'), '# Handbook\n\nA refund is paid within 14 days.\n');
    writeFileSync(
      join(folder, 'faq.jsonl'),
      '{"id": "q1", "text": "Gift cards are valid for three years", "metadata": {"v": 1}}\n"Closed on Mondays"\n',
    );
    expect(await jamjet('memory add book --file handbook.md --file faq.jsonl').ended).toEqual({
      code: 0,
      stdout: '✓ stored  3 items in book\n',
      stderr: '',
    });
    expect(
      (await jamjet(['memory', 'add', 'book', 'Gift cards are valid a long time', '--id', 'q1', '--ttl', '30d']).ended).stdout,
    ).toBe('✓ stored  1 item in book  0 new, 1 replaced\n');
    const hits = JSON.parse((await jamjet('memory search book refund paid --json').ended).stdout);
    expect(hits.results).toMatchObject([{ id: 'handbook.md#1', metadata: { source: 'handbook.md', part: 1 } }]);
    const { stdout } = await jamjet('memory search book gift card').ended;
    expect(stdout).toMatch(/^q1 {2}\d+\.\d\d\n {2}Gift cards are valid a long time\n$/);
    expect((await jamjet('memory search book nonsense').ended).stderr).toBe('nothing found\n');
    expect((await jamjet('memory list').ended).stdout).toMatch(/^NAMESPACE +ITEMS +KB +CREATED\nbook +3 /);
    expect((await jamjet('memory list book --json').ended).stdout).toContain('Closed on Mondays');
    expect((await jamjet('memory rm book q1').ended).stdout).toBe('✓ deleted  1 item of book\n');
    expect((await jamjet('memory rm book --all').ended).stdout).toBe('✓ deleted  2 items of book\n');
    expect((await jamjet('memory list').ended).stderr).toBe('nothing stored\n');
  });

  it('reports invalid arguments', async () => {
    const { folder, jamjet } = server();
    writeFileSync(join(folder, 'bad.jsonl'), '{"text": "a"}\n{"n": 1}\n');
    const failures = [
      ['memory add book', 2, 'there is nothing to add'],
      ['memory add book a b --id x', 2, '--id is for a single TEXT'],
      ['memory add book a --metadata 5', 2, '--metadata must be a JSON object'],
      ['memory add book --file missing.md', 2, '--file missing.md: no such file'],
      ['memory add book --file bad.jsonl', 2, 'bad.jsonl, line 2: is neither a text nor an object with a text'],
      ['memory search book a --limit 0', 2, '--limit "0" is not a whole number from 1 to 100'],
      ['memory rm book', 2, 'name the item to delete, or use --all'],
      ['memory rm book a --all', 2, 'name the item to delete, or use --all'],
      ['memory rm book a', 1, 'item a of memory book'],
    ] as const;
    for (const [line, code, stderr] of failures) {
      const ended = await jamjet(line).ended;
      expect([line, ended.code, ended.stdout]).toEqual([line, code, '']);
      expect(ended.stderr).toContain(stderr);
    }
  });
});

describe('the parts of a file', () => {
  it('are whole paragraphs that are not too long together', () => {
    const long = 'word '.repeat(200).trim();
    expect(partsOf(`a\n\n\n \nb\r\n\r\n${long}\n\n${long}\nc\n`)).toEqual([`a\n\nb\n\n${long}`, `${long}\nc`]);
    expect(partsOf(' \n\n ')).toEqual([]);
  });

  it('cut a paragraph that is longer than a part may be', () => {
    const parts = partsOf('word '.repeat(4_000));
    expect(parts.length).toBe(3);
    expect(parts.join(' ')).toBe('word '.repeat(4_000).trim());
    expect(partsOf('x'.repeat(20_000)).join('')).toBe('x'.repeat(20_000));
  });

  it('are named after it', () => {
    expect(itemsOfFile('a.txt', 'tea')).toEqual([{ id: 'a.txt#1', text: 'tea', metadata: { source: 'a.txt', part: 1 } }]);
  });
});
