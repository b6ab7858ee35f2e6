import { describe, expect, it } from 'vitest';
import { mergedPackage, newPackage, UnreadablePackage } from '../../../src/cli/input/package-file.ts';

const NEEDS = {
  template: { type: 'module', scripts: { dev: 'jamjet dev', test: 'jamjet test' }, devDependencies: { typescript: '^6' } },
  library: '^0.2.0',
};

const merge = (content: object, indent = 2) => mergedPackage(JSON.stringify(content, null, indent), NEEDS);

describe('a new package.json', () => {
  it.each([
    ['My Agent', 'my-agent'],
    ['.Café_7 ', 'cafe-_7'],
    ['日本', 'agent'],
    ['jamjet-runtime', 'agent'],
  ])('of the project %j has the name %j', (name, expected) => {
    expect(JSON.parse(newPackage(name, NEEDS))).toMatchObject({
      name: expected,
      type: 'module',
      dependencies: { 'jamjet-runtime': '^0.2.0' },
    });
  });
});

describe('a package.json that exists', () => {
  it('gets what is missing, in its own order and indentation', () => {
    const { text, kept } = merge({ name: 'a', scripts: { lint: 'x' }, dependencies: { zod: '1', ajv: '2' } }, 4);
    expect(kept).toEqual([]);
    expect(text).toMatch(/^{\n {4}"name": "a",/);
    expect(Object.entries(JSON.parse(text))).toEqual([
      ['name', 'a'],
      ['scripts', { lint: 'x', dev: 'jamjet dev', test: 'jamjet test' }],
      ['dependencies', { ajv: '2', 'jamjet-runtime': '^0.2.0', zod: '1' }],
      ['devDependencies', { typescript: '^6' }],
    ]);
  });

  it('keeps its scripts and versions, and says which scripts do something else', () => {
    const own = {
      scripts: { test: 'vitest', dev: 'jamjet dev' },
      dependencies: { typescript: '^5' },
      devDependencies: { 'jamjet-runtime': '0.1.0' },
    };
    const { text, kept } = merge(own);
    expect(JSON.parse(text)).toEqual(own);
    expect(kept).toEqual(['test']);
  });

  it('loses the test script that npm writes for a project without tests', () => {
    const { text, kept } = merge({ scripts: { test: 'echo "Error: no test specified" && exit 1' } });
    expect(JSON.parse(text).scripts.test).toBe('jamjet test');
    expect(kept).toEqual([]);
  });

  it('gets no dependency on a library that is in the project', () => {
    expect(JSON.parse(mergedPackage('{}', { ...NEEDS, library: null }).text).dependencies).toBeUndefined();
  });

  it.each([
    ['{', 'package.json is not valid JSON'],
    ['[]', 'package.json is not an object'],
    ['{"scripts": []}', 'package.json: scripts is not an object'],
  ])('that is %j is refused', (text, message) => {
    expect(() => mergedPackage(text, NEEDS)).toThrow(UnreadablePackage);
    expect(() => mergedPackage(text, NEEDS)).toThrow(message);
  });
});
