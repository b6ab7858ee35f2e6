import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { StrategyProgress } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';

// The events of a strategy: what its nodes begin and end, as their labels say.

const EVENT_LABEL = 'jamjet.strategy.event';
const ITERATION_LABEL = 'jamjet.strategy.iteration';
const NOT_BEGUN: StrategyProgress = { begun: 0, node: null, iteration: 0, input_tokens: 0, output_tokens: 0, cost_usd: 0 };

export function strategyStarts(step: StepContext): void {
  const { strategy } = step.tables.workflow;
  if (strategy !== null) step.addEvent('strategy_started', null, { strategy: strategy.name, config: strategy.config });
}

/** A node begins its first attempt: an iteration, or what comes after the last one. */
export function strategyNodeBegins(step: StepContext, node: string): void {
  if (step.tables.workflow.strategy === null) return;
  const progress = step.now.strategy ?? NOT_BEGUN;
  const labels = step.tables.nodeOf(node).labels;
  const event = labels[EVENT_LABEL];
  if (progress.node === node || (event !== 'iteration_started' && event !== 'strategy_completed')) return;
  endIteration(step);
  if (event !== 'iteration_started') return;
  const iteration = Number(labels[ITERATION_LABEL] ?? progress.begun);
  step.addEvent('iteration_started', null, { iteration });
  step.set({ strategy: { begun: progress.begun + 1, node, iteration, ...usedBy(step) } });
}

/** A node has completed: its output may be the plan, or a verdict. */
export function strategyNodeCompletes(step: StepContext, node: string, activation: number, output: Json): void {
  if (step.tables.workflow.strategy === null || !isObject(output)) return;
  const event = step.tables.nodeOf(node).labels[EVENT_LABEL];
  if (event === 'plan_generated' && Array.isArray(output.steps)) {
    const steps = output.steps.map((planned: Json) => (typeof planned === 'string' ? planned : JSON.stringify(planned)));
    step.addEvent('plan_generated', null, { steps });
  }
  const passed = output.passed ?? output.settled;
  if (event === 'critic_verdict' && typeof passed === 'boolean')
    step.addEvent('critic_verdict', node, Object.assign(verdictOf(output, passed), { activation }));
}

/** The execution completes. */
export function strategyCompletes(step: StepContext): void {
  if (step.tables.workflow.strategy === null) return;
  endIteration(step);
  const { usage, strategy } = step.now;
  step.addEvent('strategy_completed', null, { iterations: strategy?.begun ?? 0, total_cost_usd: usage?.cost_usd ?? null });
}

function endIteration(step: StepContext): void {
  const { strategy } = step.now;
  if (strategy === undefined || strategy.node === null) return;
  const used = usedBy(step);
  step.addEvent('iteration_completed', null, {
    iteration: strategy.iteration,
    cost_delta_usd: step.now.usage === null ? null : used.cost_usd - strategy.cost_usd,
    input_tokens: used.input_tokens - strategy.input_tokens,
    output_tokens: used.output_tokens - strategy.output_tokens,
  });
  step.set({ strategy: { ...strategy, node: null } });
}

function usedBy({ now: { usage } }: StepContext): Pick<StrategyProgress, 'input_tokens' | 'output_tokens' | 'cost_usd'> {
  return { input_tokens: usage?.input_tokens ?? 0, output_tokens: usage?.output_tokens ?? 0, cost_usd: usage?.cost_usd ?? 0 };
}

function verdictOf({ score, feedback, suggestions, gaps, ruling }: JsonObject, passed: boolean): JsonObject {
  const said = [feedback, suggestions, gaps, ruling].find((text) => typeof text === 'string' && text !== '');
  return { score: typeof score === 'number' ? score : null, passed, ...(said === undefined ? {} : { feedback: said }) };
}
