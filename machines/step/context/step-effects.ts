import type { Effect } from '../../run.ts';
import type { ActiveVisit } from './active-visits.ts';

type BeginEffect = Effect & { readonly type: 'work' | 'spawn' };

/** The effects of one step. An attempt that begins and is abandoned within the step has none: nothing outside knows of it yet. */
export class StepEffects {
  readonly #effects: Effect[] = [];
  /** Of the attempts that begin in this step. */
  readonly #begun: BeginEffect[] = [];

  add(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.#effects.push(effect);
      if (effect.type === 'work' || effect.type === 'spawn') this.#begun.push(effect);
    }
  }

  /** The visit ends without a result. */
  abandon(node: string, active: ActiveVisit, item?: number): void {
    const { activation, attempt, phase, child, local, journal } = active;
    this.release(node, active, null);
    const begun = this.#begun.find(
      (one) => one.node === node && one.item === item && one.activation === activation && one.attempt === attempt,
    );
    if (begun !== undefined) {
      this.#effects.splice(this.#effects.indexOf(begun), 1);
      this.#begun.splice(this.#begun.indexOf(begun), 1);
    } else if (child !== undefined) {
      this.#effects.push({ type: 'cancel_child', node, activation, childId: child });
    } else if (phase === 'queued' || phase === 'running') {
      this.#effects.push({ type: 'abandon', node, activation, item, local: local === true });
    } else if (journal !== undefined) {
      // A parked function may be in memory.
      this.#effects.push({ type: 'abandon', node, activation, local: true });
    }
  }

  /** What the attempts of a visit have begun elsewhere is of no use any more. */
  release(node: string, { activation, progress }: ActiveVisit, errorClass: string | null): void {
    if (progress !== undefined) this.#effects.push({ type: 'release', node, activation, progress, errorClass });
  }

  all(): readonly Effect[] {
    return this.#effects;
  }
}
