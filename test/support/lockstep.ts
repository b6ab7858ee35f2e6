import type { Json } from '../../machines/json.ts';
import type { Driver } from './driver.ts';
import type { Model } from './model.ts';

const outputs: readonly Json[] = [
  { n: 1, ok: true },
  { n: 3, x: 1 },
  { ok: false },
  { x: 2, nested: { a: null } },
  'text',
  null,
  { passed: true, scorers: [] },
];

/** Sends one random message: for the active node that `roll` selects, or an event that no node may wait for. */
export function randomMove(driver: Driver, roll: number, model?: Model): void {
  const output = outputs[roll % outputs.length] ?? null;
  const active = driver.active[roll % driver.active.length];
  if (active === undefined || roll % 11 === 0) {
    driver.event(`key${roll % 2}`, output);
    model?.event(`key${roll % 2}`, output);
    return;
  }
  const { node, phase, waitsFor } = active;
  const decision = roll % 3 === 0 ? 'rejected' : 'approved';
  if (phase === 'queued' && roll % 4 === 0) {
    driver.fail(node, { retryable: roll % 8 === 0 });
    model?.fail(node, roll % 8 === 0);
  } else if (phase === 'queued') {
    driver.done(node, output);
    model?.done(node, output);
  } else if (phase === 'awaiting_approval' || (phase === 'approval' && roll % 5 !== 0)) {
    driver.decide(node, decision);
    model?.decide(node, decision);
  } else if ([...driver.timers.values()].some((timer) => timer.node === node)) {
    driver.fire(node);
    model?.fire(node);
  } else if (waitsFor !== null) {
    driver.event(waitsFor, output);
    model?.event(waitsFor, output);
  }
}

export const hasEnded = (driver: Driver): boolean => driver.run.status !== 'running' && driver.run.status !== 'paused';

/** Visits of the driver in the notation of the model's log: runs, skips and cancellations. */
export function visits(driver: Driver): string[] {
  const kinds: Record<string, string> = {
    node_skipped: 'skipped',
    node_cancelled: 'cancelled',
    node_scheduled: 'ran',
    node_started: 'ran',
    tool_approval_required: 'ran',
    policy_violation: 'ran',
  };
  const visited = new Set<string>();
  for (const { type, node_id, data } of driver.log) {
    const control = type === 'node_completed' && !visited.has(`ran:${node_id}:${data.activation}`);
    const what = control ? 'ran' : kinds[type];
    if (what !== undefined) visited.add(`${what}:${node_id}:${data.activation}`);
  }
  return [...visited];
}
