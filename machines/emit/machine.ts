import { ends, FINISH, START, stateId } from '../compile/names.ts';
import type { Alternative, Ending } from '../compile/routes.ts';
import type { Branch, Fork, Plan } from '../compile/shapes.ts';
import { NONE } from '../compile/sweep.ts';
import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END } from '../graph/edges.ts';
import type { JsonObject } from '../json.ts';
import type { Pausing } from '../pauses.ts';
import { NodeStates } from './node-states.ts';
import { SectionStates } from './section-states.ts';
import { outOf, type States, type Surroundings, type Way, type Ways } from './ways.ts';

/** Turns a plan into the config of an XState machine: plain JSON over the vocabulary's guards, actions and delay. */
export class Emitter {
  readonly #ways: Ways;
  readonly #nodes: NodeStates;
  readonly #sections: SectionStates;

  constructor(ways: Ways) {
    this.#ways = ways;
    this.#nodes = new NodeStates(ways);
    this.#sections = new SectionStates(ways, this.#nodes);
  }

  *machine(id: string, plan: Plan): Pausing<JsonObject> {
    const finish: Way = { target: `#${FINISH}`, follow: {} };
    const states: States = {};
    const first = this.#ways.graph.start;
    if (plan.whole !== null) {
      // A parallel state as the initial one of a machine costs cubic time to enter.
      const enter = [{ section: plan.whole.key, live: [this.#ways.id(first)] }];
      states[START] = { id: START, always: this.#ways.passing({ target: `#section:${plan.whole.key}`, follow: { enter } }) };
    }
    yield* this.#region(states, this.#ways.graph.order, {
      plan,
      exit: NONE,
      branch: null,
      joined: finish,
      ended: finish,
      failed: finish,
    });
    states[FINISH] = {
      id: FINISH,
      always: [
        { guard: { type: 'limitReached' }, target: `#${ends('limit_exceeded')}` },
        { guard: { type: 'anyFailed' }, target: `#${ends('failed')}` },
        { target: `#${ends('completed')}` },
      ],
    };
    for (const status of ['completed', 'failed', 'cancelled', 'limit_exceeded']) {
      states[ends(status)] = { id: ends(status), type: 'final' };
    }
    return {
      id: `workflow:${stateId(id)}`,
      initial: plan.whole === null ? this.#ways.entry(first).slice(1) : START,
      states,
      on: {
        cancel: { target: `#${ends('cancelled')}` },
        halt: [{ guard: { type: 'limitReached' }, target: `#${ends('limit_exceeded')}` }, { target: `#${ends('failed')}` }],
      },
    };
  }

  // ------------------------------------------------------------------ regions

  *#region(states: States, nodes: Iterable<number>, around: Surroundings): Pausing<void> {
    const { plan } = around;
    if (plan.whole !== null) {
      this.#sections.add(states, plan.whole, around);
      return;
    }
    const elsewhere = new Bits(this.#ways.graph.nodes.length);
    for (const fork of plan.forks.values()) for (const branch of fork.branches) elsewhere.addAll(branch.nodes);
    for (const section of plan.sections.values()) for (const node of section.nodes) elsewhere.add(node);
    for (const node of nodes) {
      if (elsewhere.has(node)) continue;
      this.#nodes.add(states, node, {
        way: (alternative, ending) => this.#threadWay(node, alternative, ending, around),
        failed: around.failed,
        lost: null,
      });
      yield;
      for (const fork of this.#forksOf(node, plan)) yield* this.#fork(states, fork, around);
      const section = plan.sections.get(node);
      if (section !== undefined) this.#sections.add(states, section, around);
    }
  }

  #forksOf(node: number, plan: Plan): Set<Fork> {
    const all = Object.values(at(this.#ways.routes, node)).flatMap((alternatives) => alternatives ?? []);
    return new Set(all.flatMap((alternative) => plan.forks.get(alternative) ?? []));
  }

  /** Where a token goes that travels alone. */
  #threadWay(node: number, alternative: Alternative, ending: Ending, around: Surroundings): Way {
    if (alternative.back !== null) return this.#ways.back(alternative.back.to, []);
    const section = around.plan.sections.get(node);
    if (section !== undefined) {
      const live = alternative.targets.map((target) => this.#ways.id(target));
      const mark = { section: section.key, live, ...(ending === 'failed' ? { failed: true as const } : {}) };
      // What the section can come to is skipped inside it, or when it is left.
      const ahead = section.entries.flatMap((edge) => (edge.to === END || this.#ways.graph.back.has(edge) ? [] : [edge.to]));
      const skip = this.#ways.skipAfter(node, [...new Set(ahead)], around.branch);
      return { target: `#section:${section.key}`, follow: { ...skip, enter: [mark] } };
    }
    const { targets } = alternative;
    const skip = this.#ways.skipAfter(node, targets, around.branch);
    const fork = around.plan.forks.get(alternative);
    if (fork !== undefined) {
      return {
        target: `#fork:${fork.key}`,
        follow: { ...this.#ways.feed(targets), ...skip, ...this.#ways.openings(fork) },
      };
    }
    const [target] = targets;
    if (target === undefined) return { ...around.ended, follow: { ...around.ended.follow, ...skip } };
    if (target === around.exit)
      return { ...around.joined, follow: { ...around.joined.follow, ...this.#ways.feed(targets), ...skip } };
    return { target: this.#ways.entry(target), follow: { ...this.#ways.feed(targets), ...skip } };
  }

  *#fork(states: States, fork: Fork, around: Surroundings): Pausing<void> {
    const key = `fork:${fork.key}`;
    const meets = fork.join === around.exit && fork.join !== NONE;
    const toJoin: Way =
      fork.join === NONE ? around.ended : meets ? around.joined : { target: this.#ways.entry(fork.join), follow: {} };
    const first = fork.join !== NONE && this.#ways.graph.isFirstJoin(fork.join);
    const branches: States = {};
    for (const branch of fork.branches) {
      const name = branch.key;
      const arriving = (as: 'joined' | 'ended' | 'failed'): Way => ({
        target: `#${as}:${name}`,
        follow: { arrive: { fork: fork.key, as } },
      });
      const inside: States = {};
      const surroundings: Surroundings = {
        plan: branch.plan,
        exit: fork.join,
        branch,
        joined: first
          ? { target: toJoin.target, follow: { leave: [...(meets ? (toJoin.follow.leave ?? []) : []), fork.key] } }
          : arriving('joined'),
        ended: arriving('ended'),
        failed: arriving('failed'),
      };
      const own = branch.nodes.copy();
      if (branch.entry !== null && typeof branch.entry !== 'number') {
        yield* this.#fork(inside, branch.entry, surroundings);
        for (const inner of branch.entry.branches) own.removeAll(inner.nodes);
      }
      yield* this.#region(inside, this.#ways.graph.inOrder(own), surroundings);
      for (const as of ['joined', 'ended', 'failed']) inside[`${as}:`] = { id: `${as}:${name}`, tags: ['arrived'] };
      branches[`branch:${name}`] = { id: `branch:${name}`, initial: this.#entryKey(branch), states: inside };
    }
    const of = fork.branches.length + (fork.direct ? 1 : 0);
    const closed = (as?: 'joined' | 'failed'): JsonObject => ({
      type: 'closed',
      params: { fork: fork.key, of, ...(as === undefined ? {} : { as }) },
    });
    const skipJoin = fork.join === NONE || meets ? {} : this.#ways.skipFrom(fork.join, around.branch);
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { fork: this.#ways.id(fork.owner), join: fork.join === NONE ? null : this.#ways.id(fork.join) },
      states: branches,
      always: [
        { guard: closed('failed'), ...this.#ways.passing(outOf(fork.key, around.failed)) },
        ...(fork.join === NONE || first ? [] : [{ guard: closed('joined'), ...this.#ways.passing(outOf(fork.key, toJoin)) }]),
        {
          guard: closed(),
          ...this.#ways.passing(outOf(fork.key, { ...around.ended, follow: { ...around.ended.follow, ...skipJoin } })),
        },
      ],
    };
  }

  #entryKey(branch: Branch): string {
    if (branch.entry === null) return `section:${branch.plan.whole?.key}`;
    if (typeof branch.entry !== 'number') return `fork:${branch.entry.key}`;
    return this.#ways.entry(branch.entry).slice(1);
  }
}
