import { describe, expect, it } from 'vitest';
import { rejectedResult } from '../../../src/runtime/engine/step-message.ts';

const STALE = { refused: 'stale', nodes: [] } as const;
const settle = { id: 'item', fence: 3 };

describe('a message that the machine refuses', () => {
  it('closes the work item whose lease has lapsed, as one that nobody wants: nobody has completed it', () => {
    const [draught] = rejectedResult(STALE, { settle, always: true }).builders;
    expect(draught?.work).toEqual([{ op: 'settle', ...settle, status: 'cancelled' }]);
  });

  it('leaves the work item of a worker that reports open', () => {
    const [draught] = rejectedResult(STALE, { settle }).builders;
    expect(draught?.work).toEqual([]);
  });
});
