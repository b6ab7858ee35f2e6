import { describe, expect, it } from 'vitest';
import { rejectedResult } from '../../../src/runtime/engine/step-message.ts';

const STALE = { refused: 'stale', nodes: [] } as const;
const settle = { id: 'item', fence: 3 };

describe('a message refused by the machine', () => {
  it('cancels the work item whose lease has expired', () => {
    const { builder } = rejectedResult(STALE, { settle, always: true });
    expect(builder.work).toEqual([{ op: 'settle', ...settle, status: 'cancelled' }]);
  });

  it('leaves the work item of a reporting worker open', () => {
    const { builder } = rejectedResult(STALE, { settle });
    expect(builder.work).toEqual([]);
  });
});
