import { describe, expect, it } from 'vitest';
import { refused } from '../../src/runtime/take-message.ts';

const STALE = { refused: 'stale', nodes: [] } as const;
const settle = { id: 'item', fence: 3 };

describe('a message that the machine refuses', () => {
  it('closes the work item whose lease has lapsed, as one that nobody wants: nobody has completed it', () => {
    const [draught] = refused(STALE, { settle, always: true }).draughts;
    expect(draught?.work).toEqual([{ op: 'settle', ...settle, status: 'cancelled' }]);
  });

  it('leaves the work item of a worker that reports open', () => {
    const [draught] = refused(STALE, { settle }).draughts;
    expect(draught?.work).toEqual([]);
  });
});
