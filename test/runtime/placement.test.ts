import { describe, expect, it } from 'vitest';
import { singleProcess } from '../../src/runtime/placement.ts';

describe('a runtime on a database of its own', () => {
  it('is the only live one, and owns and does everything', async () => {
    const placement = singleProcess('me');
    await placement.confirm('other');
    expect([placement.isAlone, placement.isAlive('other'), placement.isAlive('me')]).toEqual([true, false, true]);
    expect([placement.isResponsible('exec_1'), placement.ownerAfter('exec_1', 'other')]).toEqual([true, 'me']);
  });
});
