import { describe, expect, it } from 'vitest';
import { decidedInbox, hasEnded, type InboxItem, type InboxRow, refreshedInbox } from '../../src/views/approval-inbox.ts';

const item = (n: number, more: Partial<InboxItem> = {}): InboxItem => ({
  execution_id: `exec_${n}`,
  node_id: 'review',
  sequence: 2,
  waiting_since: `2026-11-27T10:00:${String(n).padStart(2, '0')}.000Z`,
  ...more,
});
const shown = (rows: readonly InboxRow<InboxItem>[]) =>
  rows.map(({ item: { execution_id }, outcome }) => [execution_id, outcome?.status ?? 'pending']);
const decision = (n: number) => new Map([[`exec_${n}:2`, { status: 'approved', by: 'ada' } as const]]);

describe('the list of the inbox', () => {
  it('keeps rows in their place when their approval has ended', () => {
    const first = refreshedInbox([], [item(1), item(2), item(3)], true);
    const decided = decidedInbox(first, decision(2));
    expect(shown(decided)).toEqual([
      ['exec_1', 'pending'],
      ['exec_2', 'approved'],
      ['exec_3', 'pending'],
    ]);
    expect(decided[1]?.outcome?.by).toBe('ada');
    const next = refreshedInbox(decided, [item(3), item(4)], true);
    expect(shown(next)).toEqual([
      ['exec_1', 'ended'],
      ['exec_2', 'approved'],
      ['exec_3', 'pending'],
      ['exec_4', 'pending'],
    ]);
  });

  it('believes a decision more than a list that was read before it', () => {
    const rows = decidedInbox(refreshedInbox([], [item(1)], true), decision(1));
    expect(shown(refreshedInbox(rows, [item(1)], true))).toEqual([['exec_1', 'approved']]);
  });

  it('applies a decision to the visit that asked for it only', () => {
    const rows = refreshedInbox([], [item(1, { sequence: 7 })], true);
    expect(shown(decidedInbox(rows, decision(1)))).toEqual([['exec_1', 'pending']]);
  });

  it('notices that a row has ended, once', () => {
    const rows = refreshedInbox([], [item(1), item(2)], true);
    const next = refreshedInbox(rows, [item(2)], true);
    expect(hasEnded(rows, next)).toBe(true);
    expect(hasEnded(next, refreshedInbox(next, [item(2), item(3)], true))).toBe(false);
  });

  it('does not call ended what lies beyond the part that was read', () => {
    const rows = refreshedInbox([], [item(1), item(3)], true);
    expect(shown(refreshedInbox(rows, [item(1), item(2)], false))).toEqual([
      ['exec_1', 'pending'],
      ['exec_2', 'pending'],
    ]);
  });

  it('forgets the oldest of many ended rows', () => {
    const many = Array.from({ length: 59 }, (_, i) => item(i));
    expect(refreshedInbox(refreshedInbox([], many, true), [], true)).toHaveLength(50);
  });
});
