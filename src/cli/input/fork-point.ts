import type { JamjetClient } from '../../client/index.ts';
import { Failure, usageFailure } from '../failure.ts';
import { plain } from '../terminal/text.ts';

const BEGINS: ReadonlySet<string> = new Set(['node_scheduled', 'node_started', 'map_started']);

/**
 * The sequence at which a fork runs the node again: the end of the step that began its visit (the last one, or the one with that number), so
 * that what was done before is kept. A node that the same step has completed begins in the step before.
 */
export async function forkPointBefore(client: JamjetClient, id: string, node: string, visit: number | null): Promise<number> {
  const events = await client.events(id, { nodeId: node });
  const begun = new Map<number, number>();
  for (const { type, sequence, data } of events) {
    const activation = typeof data.activation === 'number' ? data.activation : 1;
    if ((BEGINS.has(type) || type === 'node_completed' || type === 'node_failed') && !begun.has(activation))
      begun.set(activation, sequence);
  }
  const last = Math.max(...begun.keys());
  if (begun.size === 0) {
    // Fails if the workflow has no such node, and says which it has.
    await client.node(id, node, { limit: 1 });
    throw new Failure(`node ${plain(node)} has not run`, { hint: `jamjet inspect ${id} shows its nodes.` });
  }
  const at = begun.get(visit ?? last);
  if (at === undefined)
    throw usageFailure(
      `node ${plain(node)} has no visit ${visit}`,
      `It was visited ${begun.size} times, the last time as ${last}.`,
    );
  const { snapshots } = await client.history.snapshots(id, { after: at - 1, limit: 1 });
  const step = snapshots[0];
  if (step === undefined) throw new Failure(`the step of event ${at} cannot be read`);
  const isActive = step.context.active.some((one) => one.node_id === node && one.activation === (visit ?? last));
  return isActive ? step.sequence : Math.max(1, at - 1);
}
