import { isObject, type Json, type JsonObject } from '../json.ts';

/** In which states the machine of an author is, and has been, by its transitions. */
export class MachineStates {
  #active: ReadonlyMap<string, number> = new Map();
  readonly #entered = new Map<string, number>();

  get active(): ReadonlyMap<string, number> {
    return this.#active;
  }

  get entered(): ReadonlyMap<string, number> {
    return new Map(this.#entered);
  }

  /** `data`: of a `machine_transitioned`. */
  apply({ event, value, actor }: JsonObject, atMs: number): void {
    if (actor !== undefined) return;
    if (event === 'xstate.init') {
      this.#active = new Map();
      this.#entered.clear();
    }
    const before = this.#active;
    this.#active = new Map(idsIn(value ?? null, '').map((id) => [id, before.get(id) ?? atMs]));
    for (const id of this.#active.keys()) if (!before.has(id)) this.#entered.set(id, (this.#entered.get(id) ?? 0) + 1);
  }
}

/** The ids of the states of a state value: `open` and `open.waiting` of `{open: 'waiting'}`. */
function idsIn(value: Json, within: string): readonly string[] {
  if (typeof value === 'string') return [`${within}${value}`];
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [`${within}${name}`, ...idsIn(inner, `${within}${name}.`)]);
}
