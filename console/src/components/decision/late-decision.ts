import { ApiError, type JamjetClient } from '../../../../src/client/index.ts';
import type { Asked } from './asked.ts';

/** The error of a decision; of one that came too late, with who was faster. */
export async function lateDecision(client: JamjetClient, asked: Asked, error: unknown): Promise<unknown> {
  if (!(error instanceof ApiError) || error.status !== 409) return error;
  const { execution_id, node_id, sequence } = asked;
  // Without it, the server's own words must do.
  const { decided } = await client.approvals(execution_id).catch(() => ({ decided: [] }));
  const decision = decided.find((each) => each.node_id === node_id && each.sequence > sequence);
  return decision === undefined ? error : new Error(meanwhile(decision.status, decision.user_id), { cause: error });
}

/** `by`: null = not known. */
export function meanwhile(status: 'approved' | 'rejected' | 'ended', by: string | null): string {
  if (status === 'ended') return 'It no longer waits for a decision.';
  return `Meanwhile it was ${status}${by === null ? '' : ` by ${by}`}.`;
}
