/**
 * What was found and not looked into yet. Between places, the one that was looked into least often comes first: so a loop, whose rounds are all
 * at the same few places, cannot keep others from their turn however many it has. At one place, beginnings take turns, and of those with the
 * same beginning the first that was found comes first. (Choosing rarely visited cells: A. Ecoffet et al., First return, then explore, 2021.)
 */
export class Frontier<T> {
  readonly #places = new Map<string, Place<T>>();

  add(found: T, at: string, beginning: string): void {
    const place = this.#places.get(at) ?? { lookedInto: 0, waiting: new Map<string, T[]>() };
    this.#places.set(at, place);
    const known = place.waiting.get(beginning);
    if (known === undefined) place.waiting.set(beginning, [found]);
    else known.push(found);
  }

  /** Takes the next one out; undefined when nothing is left. */
  next(): T | undefined {
    let rarest: Place<T> | undefined;
    for (const place of this.#places.values()) {
      if (place.waiting.size > 0 && (rarest === undefined || place.lookedInto < rarest.lookedInto)) rarest = place;
    }
    const [turn] = rarest?.waiting ?? [];
    if (rarest === undefined || turn === undefined) return undefined;
    const [beginning, waiting] = turn;
    const found = waiting.shift();
    rarest.lookedInto += 1;
    rarest.waiting.delete(beginning);
    if (waiting.length > 0) rarest.waiting.set(beginning, waiting);
    return found;
  }
}

interface Place<T> {
  lookedInto: number;
  /** By beginning; whose turn it is first. Never empty lists. */
  readonly waiting: Map<string, T[]>;
}
