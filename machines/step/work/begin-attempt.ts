import { Journal } from '../../journal.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import type { StepEnv } from '../../run.ts';
import { strategyNodeBegins } from '../actions/strategy.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import { addAttemptStart, continuedInput } from './recorded-input.ts';

/** With `item`: of an item of the node, whose work is that of `kind`. */
export function beginAttempt(
  step: StepContext,
  node: string,
  active: ActiveVisit,
  kind: Kind,
  env: StepEnv,
  item?: number,
): null {
  const { activation, attempt } = active;
  if (definitionOf(kind).behaviour(kind) === 'child') {
    addAttemptStart(step, node, env.runtimeId, active, item);
    step.setActive(node, begunVisit(active, 'running', true), item);
    step.effects.add([{ type: 'spawn', node, activation, attempt, item }]);
    return null;
  }
  const queue = definitionOf(kind).queue(kind) ?? 'general';
  const local = env.isLocal(node);
  const scheduled = local
    ? { queue_type: queue, attempt, in_process: true, activation }
    : { queue_type: queue, attempt, activation };
  if (attempt === 0 && item === undefined) strategyNodeBegins(step, node);
  step.addEvent('node_scheduled', node, item === undefined ? scheduled : Object.assign(scheduled, { item }));
  const waits = local && env.startsAtOnce?.(node, item) === false;
  if (local && !waits) {
    addAttemptStart(step, node, env.runtimeId, active, item);
    step.setActive(node, begunVisit(active, 'running', true), item);
  } else {
    step.setActive(node, begunVisit(active, 'queued', local), item);
  }
  if (definitionOf(kind).keepsJournal && step.activeOf(node).journal === undefined) beginJournal(step, node);
  const work = { type: 'work', node, activation, attempt, item, local, queue } as const;
  step.effects.add([waits ? { waits, ...work } : work]);
  return null;
}

function beginJournal(step: StepContext, node: string): void {
  const journal = Journal.begun(step.now.state, continuedInput(step, node));
  step.setActive(node, Object.assign({}, step.activeOf(node), { journal }));
  if (step.now.continuedInput?.node === node) step.set({ continuedInput: undefined });
}

/** Every node begins with one: objects that are made at once, without spreading others, cost a fraction. */
function begunVisit({ activation, attempt, approved }: ActiveVisit, phase: 'queued' | 'running', local: boolean): ActiveVisit {
  if (approved === true)
    return local ? { activation, attempt, approved, phase, local } : { activation, attempt, approved, phase };
  return local ? { activation, attempt, phase, local } : { activation, attempt, phase };
}
