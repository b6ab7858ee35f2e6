import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { paintFor } from '../../../src/cli/terminal/paint.ts';

const coloured = (isTTY: boolean, env: Record<string, string>) =>
  paintFor(Object.assign(new PassThrough(), { isTTY }), env).red('x') !== 'x';

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('on a terminal (%s) with %j: %s', (isTTY, env, expected) => {
    expect(coloured(isTTY, env as Record<string, string>)).toBe(expected);
  });
});
