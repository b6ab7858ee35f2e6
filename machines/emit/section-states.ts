import { gateOf } from '../compile/names.ts';
import type { Section } from '../compile/shapes.ts';
import { NONE } from '../compile/sweep.ts';
import { at } from '../graph/at.ts';
import type { Loop } from '../graph/loops.ts';
import type { Json, JsonObject } from '../json.ts';
import type { NodeStates } from './node-states.ts';
import { outOf, type States, type Surroundings, type Way, type Ways } from './ways.ts';

/** Sections: a region per track, a gate before each node. */
export class SectionStates {
  readonly #ways: Ways;
  readonly #nodes: NodeStates;

  constructor(ways: Ways, nodes: NodeStates) {
    this.#ways = ways;
    this.#nodes = nodes;
  }

  /** Adds the section's parallel state. */
  add(states: States, section: Section, around: Surroundings): void {
    const key = `section:${section.key}`;
    const tracks: States = {};
    const inside = new Set(section.nodes);
    const loops = this.#ways.graph.loops.filter((loop) => inside.has(loop.head));
    section.tracks.forEach((track, i) => {
      this.#track(tracks, section, track, i, loops);
    });
    const always: Json[] = [];
    // Nothing comes to the join any more, nor to what only a loop around could have come to.
    const ended: Way = {
      ...around.ended,
      follow: { ...around.ended.follow, ...this.#ways.skipAround(section, [], around.branch) },
    };
    if (section.join !== NONE) {
      const join = this.#ways.id(section.join);
      const meets = section.join === around.exit;
      const toJoin: Way = meets ? around.joined : { target: this.#ways.entry(section.join), follow: {} };
      const left = this.#ways.skipAround(section, [section.join], around.branch);
      always.push({
        guard: { type: 'ready', params: { section: section.key, node: join } },
        ...this.#ways.passing(outOf(section.key, { ...toJoin, follow: { ...toJoin.follow, ...left } })),
      });
      always.push({
        guard: { type: 'over', params: { section: section.key, node: join } },
        ...this.#ways.passing(outOf(section.key, ended)),
      });
    }
    const settled = (failed: boolean): JsonObject => ({
      type: 'settled',
      params: { section: section.key, ...(failed ? { failed } : {}) },
    });
    always.push({ guard: settled(true), ...this.#ways.passing(outOf(section.key, around.failed)) });
    if (section.join === NONE) always.push({ guard: settled(false), ...this.#ways.passing(outOf(section.key, ended)) });
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { section: section.key, join: section.join === NONE ? null : this.#ways.id(section.join) },
      states: tracks,
      always,
    };
  }

  #track(tracks: States, section: Section, track: readonly number[], index: number, loops: readonly Loop[]): void {
    const over = `over:${this.#ways.name(at(track, 0))}`;
    const states: States = {};
    const rounds = loops.filter((loop) => track.some((node) => loop.body.has(node)));
    const gate = (node: number | undefined): string => `#${node === undefined ? over : gateOf(this.#ways.name(node))}`;
    const restart = (head: number): string => {
      const loop = rounds.find((candidate) => candidate.head === head);
      return gate(track.find((node) => loop?.body.has(node) === true));
    };
    track.forEach((node, i) => {
      const next = gate(track[i + 1]);
      const params = { section: section.key, node: this.#ways.id(node) };
      states[gateOf(this.#ways.name(node))] = {
        id: gateOf(this.#ways.name(node)),
        meta: { gate: this.#ways.id(node) },
        always: [
          { guard: { type: 'ready', params }, target: this.#ways.entry(node), actions: [{ type: 'enter', params }] },
          { guard: { type: 'over', params }, target: next },
        ],
      };
      this.#nodes.add(states, node, {
        way: (alternative, ending) => {
          if (alternative.back !== null) {
            const { to } = alternative.back;
            if (!loops.some((loop) => loop.head === to)) return this.#ways.back(to, [section.key]);
            return { target: restart(to), follow: { again: { section: section.key, to: this.#ways.id(to) } } };
          }
          const live = alternative.targets.map((target) => this.#ways.id(target));
          return {
            target: next,
            follow: { mark: { section: section.key, live, ...(ending === 'failed' ? { failed: true } : {}) } },
          };
        },
        failed: { target: next, follow: { mark: { section: section.key, live: null } } },
        lost: { guard: { type: 'lost', params }, target: next },
      });
    });
    states[over] = { id: over };
    const region: States = {
      id: `track:${this.#ways.name(at(track, 0))}`,
      initial: gateOf(this.#ways.name(at(track, 0))),
      states,
    };
    if (rounds.length > 0) {
      region.always = rounds.map(({ head }) => {
        const params = { section: section.key, track: index, loop: this.#ways.id(head) };
        return { guard: { type: 'goesRound', params }, target: restart(head), actions: [{ type: 'rewound', params }] };
      });
    }
    tracks[`track:${this.#ways.name(at(track, 0))}`] = region;
  }
}
