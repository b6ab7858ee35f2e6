import { describe, expect, it } from 'vitest';
import { BadDataset, readDataset } from '../../src/evaluation/dataset.ts';

describe('a data set', () => {
  it('is read from JSON Lines, without blank lines and comments', async () => {
    const text =
      '\uFEFF# questions\n{"id": "a", "input": {"q": 1}, "expected": "x"}\r\n\n{"input": 2, "metadata": {"lang": "en"}}\n';
    expect(await readDataset(text, 'rows.jsonl')).toEqual([
      { id: 'a', input: { q: 1 }, expected: 'x' },
      { id: 'row_1', input: 2, metadata: { lang: 'en' } },
    ]);
  });

  it('is read from a list of JSON or YAML', async () => {
    const rows = [{ id: '7', input: { q: 'tea' }, expectedTrajectory: { used_tool: 'search' } }];
    const json = '[{"id": 7, "input": {"q": "tea"}, "expected_trajectory": {"used_tool": "search"}}]';
    expect(await readDataset(json, 'rows.JSON')).toEqual(rows);
    expect(await readDataset('- id: 7\n  input: { q: tea }\n  expected_trajectory: { used_tool: search }\n', 'rows.yml')).toEqual(
      rows,
    );
  });

  it('is read from CSV, with columns as keys of the input', async () => {
    const text = 'id,question,limit,expected\nq1,"Tea, or ""coffee""?\nBoth",3,tea\n\nq2,0049,true,"{""a"": 1}"\n';
    expect(await readDataset(text, 'rows.csv')).toEqual([
      { id: 'q1', input: { question: 'Tea, or "coffee"?\nBoth', limit: 3 }, expected: 'tea' },
      { id: 'q2', input: { question: '0049', limit: true }, expected: { a: 1 } },
    ]);
  });

  it('may have its inputs as JSON in a column of CSV', async () => {
    expect(await readDataset('input,expected\n"{""q"": 1}",\n', 'rows.csv')).toEqual([{ id: 'row_0', input: { q: 1 } }]);
  });

  it.each([
    ['rows.jsonl', '', 'it has no rows'],
    ['rows.jsonl', '{"input": 1}\n{input}', 'line 2 is not JSON'],
    ['rows.jsonl', '{"input": 1}\n\n5', 'line 3 must be an object'],
    ['rows.jsonl', '{"question": 1}', 'line 1 has no "input"'],
    ['rows.jsonl', '{"id": "a", "input": 1}\n{"id": "a", "input": 2}', 'two rows have the id "a"'],
    ['rows.jsonl', '{"id": {}, "input": 1}', '"id" must be text or a number'],
    ['rows.jsonl', '{"input": 1, "expected_trajectory": []}', '"expected_trajectory" must be an object'],
    ['rows.json', '{"input": 1}', 'it must be a list of rows'],
    ['rows.json', '[1', 'it is not JSON'],
    ['rows.yaml', '- [', 'it is not YAML'],
    ['rows.csv', 'a,b\n1\n', 'line 2: it has 1 fields, and the header has 2'],
    ['rows.csv', 'a,b\n1,"2\n', 'line 2: a quote is not closed'],
    ['rows.csv', 'a,a\n1,2\n', 'line 1: two columns have the same name'],
  ])('%s with %j is refused', async (path, text, message) => {
    const failure = await readDataset(text, path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadDataset);
    expect((failure as Error).message).toContain(message);
  });
});
