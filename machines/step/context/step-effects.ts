import type { Effect } from '../../run.ts';
import type { ActiveVisit } from './context.ts';

type BeginEffect = Effect & { readonly type: 'work' | 'spawn' };

/** The effects of one step. An attempt that begins and is abandoned within the step has none: nothing outside knows of it yet. */
export class StepEffects {
  readonly #effects = new Set<Effect>();
  /** The attempts that begin in this step, by node: a node has one attempt at a time. */
  readonly #begunByNode = new Map<string, BeginEffect>();

  add(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.#effects.add(effect);
      if (effect.type === 'work' || effect.type === 'spawn') this.#begunByNode.set(effect.node, effect);
    }
  }

  /** The visit ends without a result. */
  abandon(node: string, { activation, attempt, phase, child, local }: ActiveVisit): void {
    const begun = this.#begunByNode.get(node);
    if (begun?.activation === activation && begun.attempt === attempt) {
      this.#effects.delete(begun);
      this.#begunByNode.delete(node);
    } else if (child !== undefined) {
      this.#effects.add({ type: 'cancel_child', node, activation, childId: child });
    } else if (phase === 'queued' || phase === 'running') {
      this.#effects.add({ type: 'abandon', node, activation, local: local === true });
    }
  }

  all(): readonly Effect[] {
    return [...this.#effects];
  }
}
