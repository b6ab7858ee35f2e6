import { describe, expect, it } from 'vitest';
import { nextSegmentId } from '../../../machines/step/segments.ts';
import { createIds } from '../../../src/runtime/ids.ts';

const AT_MS = 1_773_000_000_000;

describe('the id of a next segment', () => {
  it('sorts after the id before, in the same millisecond, after the last of it, and when the clock was set back', () => {
    const ids = createIds();
    let id = ids.execution(AT_MS);
    while (!id.includes('7fff', 17)) id = ids.execution(AT_MS);
    for (const [segment, nowMs] of [
      [0, AT_MS],
      [1, AT_MS - 5_000],
      [4_094, AT_MS],
      [4_095, AT_MS + 2],
      [4_096, AT_MS + 2],
    ] as const) {
      const next = nextSegmentId(id, segment, nowMs);
      expect(next).toMatch(/^exec_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
      expect(next > id).toBe(true);
      expect(nextSegmentId(id, segment, nowMs)).toBe(next);
      id = next;
    }
  });
});
