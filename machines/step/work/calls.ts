import type { Json } from '../../json.ts';
import type { Visit } from '../../messages.ts';
import type { Run } from '../../run.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { Context } from '../context/context.ts';
import { OpenItems } from '../context/open-items.ts';
import type { StepContext } from '../context/step-context.ts';

// A call of a durable function is a piece of its visit, by the number of its operation: its child execution is started, linked and cancelled like that
// of an item of a list.

/** Asks for the child execution of a call. A suspended execution starts it when it is resumed. */
export function beginCall(step: StepContext, node: string, number: number): void {
  const active = step.activeOf(node);
  const { activation, items = OpenItems.of<ActiveVisit>({}) } = active;
  const isDeferred = step.now.suspension !== null;
  const call: ActiveVisit = isDeferred
    ? { activation, attempt: 0, phase: 'deferred' }
    : { activation, attempt: 0, phase: 'running', local: true };
  step.setActive(node, Object.assign({}, active, { items: items.with(number, call) }));
  if (!isDeferred) step.effects.add([{ type: 'spawn', node, activation, attempt: 0, item: number }]);
}

/** Begins the calls that were deferred while the execution was suspended. */
export function beginDeferredCalls(step: StepContext): void {
  for (const [node, { journal, items }] of step.now.active.entries())
    if (journal !== undefined && items !== undefined && items.deferred > 0)
      for (const [number, { phase }] of items.entries()) if (phase === 'deferred') beginCall(step, node, number);
}

/** What a durable function calls; null = the visit is no call in progress. */
export function callOf(
  run: Run,
  { node, item = 0 }: Visit,
): { readonly ref: string; readonly version: string | undefined; readonly input: Json } | null {
  const operation = (run.snapshot.context as Context).active.get(node)?.journal?.open(item);
  if (operation?.workflow === undefined) return null;
  const { workflow: ref, version, input = null } = operation;
  return { ref, version, input };
}
