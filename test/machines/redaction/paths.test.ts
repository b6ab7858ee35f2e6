import { describe, expect, it } from 'vitest';
import { parsePath } from '../../../machines/redaction/paths.ts';

describe('a path', () => {
  it.each([
    ['$.a.b', ['a', 'b']],
    ['a.b', ['a', 'b']],
    ['$.a.*.b', ['a', '*', 'b']],
    ['$.a[*].b', ['a', '*', 'b']],
    ['$.a[0]', ['a', '0']],
    ["$['a b']['c.d']", ['a b', 'c.d']],
    ['$..mail', ['..mail']],
    ['$.a..*', ['a', '..*']],
  ])('%s is read', (text, segments) => {
    const { path, problem } = parsePath(text);
    expect(problem).toBeNull();
    expect(path?.map(({ key, deep }) => `${deep ? '..' : ''}${key ?? '*'}`)).toEqual(segments);
  });

  it.each(['$', '', '$.', '$.a.', '$.a[', '$.a[x]', '$ .a', '$.a b', `$${'.a'.repeat(40)}`])('%s is refused', (text) =>
    expect(parsePath(text).problem).not.toBeNull(),
  );
});
