import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { ir } from './ir.ts';

const REVIEW = ir('long-inbox', { review: { type: 'human_approval', description: 'Refund {{ state.amount }}?' } }, [
  ['review', 'end'],
]);
const AT_ONCE = 50;

export async function startApprovals(client: JamjetClient, count: number): Promise<void> {
  await client.registerWorkflow(REVIEW);
  for (let begun = 0; begun < count; begun += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, k) => client.start({ workflow_id: 'long-inbox', input: { amount: begun + k } })),
    );
}

export async function approveFirst(client: JamjetClient, count: number): Promise<void> {
  const { approvals } = await client.approvalInbox({ limit: count });
  for (const { execution_id } of approvals) await client.approve(execution_id, { decision: 'approved' });
}

/** Presses End until the last of `count` approvals is loaded. */
export async function scrollToEnd(page: Page, count: number): Promise<void> {
  await page.getByRole('listbox').focus();
  const last = page.getByRole('listbox').getByRole('option', { selected: true });
  const numberOf = async (attribute: string): Promise<number> => Number(await last.getAttribute(attribute));
  for (let at = 0; at < count; ) {
    await page.keyboard.press('End');
    await expect.poll(() => numberOf('aria-posinset')).toBeGreaterThan(at);
    at = await numberOf('aria-posinset');
    if (at < count) await expect.poll(() => numberOf('aria-setsize')).toBeGreaterThan(at);
  }
}
