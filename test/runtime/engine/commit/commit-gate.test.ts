import { describe, expect, it } from 'vitest';
import { CommitGate } from '../../../../src/runtime/engine/commit/commit-gate.ts';

describe('work between commits', () => {
  it('waits for the commit in progress and holds back the next one', async () => {
    const gate = new CommitGate();
    const log: string[] = [];
    gate.onOpened(() => log.push('opened'));
    let endCommit = (): void => {};
    const committing = gate.commit(
      () =>
        new Promise<void>((resolve) => {
          endCommit = resolve;
        }),
    );
    const working = gate.betweenCommits(async () => {
      log.push(`works, open: ${gate.isOpen}`);
    });
    expect([gate.isOpen, log]).toEqual([false, []]);
    endCommit();
    await Promise.all([committing, working]);
    expect([gate.isOpen, log]).toEqual([true, ['works, open: false', 'opened']]);
  });
});
