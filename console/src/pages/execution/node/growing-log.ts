import type { Event } from '../../../../../src/api/schemas/events.ts';

/** Applies each event of a growing list once. */
export class GrowingLog<View extends { apply(event: Event): void }> {
  readonly #begun: () => View;
  #view: View;
  #applied = 0;

  constructor(begun: () => View) {
    this.#begun = begun;
    this.#view = begun();
  }

  read(events: readonly Event[]): View {
    // An earlier moment is shown.
    if (events.length < this.#applied) {
      this.#view = this.#begun();
      this.#applied = 0;
    }
    for (const event of events.slice(this.#applied)) this.#view.apply(event);
    this.#applied = events.length;
    return this.#view;
  }
}
