import type { ActiveNode, Status } from '../../machines/run.ts';
import { activeOf } from '../../machines/step.ts';
import { Frontier } from './frontier.ts';
import { begin, type Happening, isOver, type Scene, send, type World } from './scene.ts';
import { Situations } from './situation.ts';
import { movable, type Possible, possibilities } from './stimuli.ts';
import type { Way } from './ways.ts';
import type { Wishes } from './wishes.ts';

export interface Situation {
  readonly index: number;
  readonly status: Status;
  readonly isOver: boolean;
  /** Has a failure that nobody handles happened? */
  readonly isFailing: boolean;
  readonly active: readonly ActiveNode[];
  /** Null = not looked into: a bound was reached first. */
  transitions: readonly Transition[] | null;
}

export interface Transition {
  readonly to: number;
  /** Visits that ended on the way. */
  readonly ways: readonly Way[];
}

/** Everything that was found to be possible. */
export interface Explored {
  readonly situations: readonly Situation[];
  /** How runs begin. */
  readonly starts: readonly Transition[];
  readonly steps: number;
  /** The bound on steps was reached: there is more. */
  readonly bounded: boolean;
  /** Ways that some run took. */
  readonly taken: ReadonlySet<Way>;
  /** Waits whose event came after their time was over, and that no node was left to take. */
  readonly unreadLate: ReadonlySet<string>;
}

/**
 * Walks through all that can happen to executions, from situation to situation: first on from those nodes from which it has gone on least often,
 * so that a bound leaves out what is most like what was seen. `xstate/graph` walks in another order, and throws away what it has found when it
 * meets its limit; and it would walk the machine alone: what begins, which timers are armed and what a stale message is, only the step knows.
 */
export function explore(worlds: readonly World[], wishes: Wishes, maxSteps: number): Explored {
  const walk = new Walk(worlds, wishes, maxSteps);
  walk.run();
  return walk.result();
}

interface Found {
  readonly situation: Situation;
  readonly scene: Scene;
  readonly world: World;
  readonly reach: Reach;
}

type Reach = (happening: Happening) => Transition;

class Walk {
  readonly #worlds: readonly World[];
  readonly #wishes: Wishes;
  readonly #maxSteps: number;
  readonly #situations: Situation[] = [];
  readonly #known = new Map<string, Situation>();
  /** By the nodes that are played next, and how the run began. */
  readonly #frontier = new Frontier<Found>();
  readonly #starts: Transition[] = [];
  readonly #taken = new Set<Way>();
  readonly #unreadLate = new Set<string>();
  #steps = 0;

  constructor(worlds: readonly World[], wishes: Wishes, maxSteps: number) {
    this.#worlds = worlds;
    this.#wishes = wishes;
    this.#maxSteps = maxSteps;
  }

  run(): void {
    for (const world of this.#worlds) {
      const situations = new Situations(world.program, this.#wishes);
      const reach: Reach = (happening) =>
        this.#reach(happening, JSON.stringify(world.env) + situations.keyOf(happening.scene), world, reach);
      for (const input of this.#wishes.inputs) this.#starts.push(reach(begin(world, input)));
    }
    for (let found = this.#next(); found !== undefined; found = this.#next()) this.#expand(found);
  }

  result(): Explored {
    return {
      situations: this.#situations,
      starts: this.#starts,
      steps: this.#steps,
      bounded: this.#situations.some(({ transitions }) => transitions === null),
      taken: this.#taken,
      unreadLate: this.#unreadLate,
    };
  }

  #next(): Found | undefined {
    if (this.#steps >= this.#maxSteps) return undefined;
    return this.#frontier.next();
  }

  #reach({ scene, ways }: Happening, key: string, world: World, reach: Reach): Transition {
    this.#steps += 1;
    for (const way of ways) this.#taken.add(way);
    let situation = this.#known.get(key);
    if (situation === undefined) {
      const context: { readonly failures?: readonly string[] } = scene.run.snapshot.context;
      const over = isOver(scene);
      situation = {
        index: this.#situations.length,
        status: scene.run.status,
        isOver: over,
        isFailing: (context.failures ?? []).length > 0,
        active: over ? [] : activeOf(world.program, scene.run),
        transitions: over ? [] : null,
      };
      this.#known.set(key, situation);
      this.#situations.push(situation);
      if (!over) {
        const next = movable(world, scene).map(({ node }) => node);
        this.#frontier.add({ situation, scene, world, reach }, next.join(' '), JSON.stringify([world.env, scene.run.input]));
      }
    }
    return { to: situation.index, ways };
  }

  #expand({ situation, scene, world, reach }: Found): void {
    const possible = possibilities(world, this.#wishes, scene);
    const outOfTime = [...this.#early(world, scene, possible), ...this.#late(world, possible)];
    situation.transitions = [...possible.map(({ happening }) => happening), ...outOfTime].map(reach);
  }

  /** Where a wait begins next: its event comes just before. */
  #early(world: World, scene: Scene, possible: readonly Possible[]): readonly Happening[] {
    const before = new Set(activeOf(world.program, scene.run).flatMap(({ waitsFor }) => waitsFor ?? []));
    return possible.flatMap(({ happening }, i) => {
      if (isOver(happening.scene)) return [];
      const begun = activeOf(world.program, happening.scene.run).find(
        ({ waitsFor }) => waitsFor !== null && !before.has(waitsFor),
      );
      if (begun === undefined || begun.waitsFor === null) return [];
      const [payload = {}] = this.#wishes.outputs.get(begun.node) ?? [];
      const buffered = send(world, scene, { type: 'event', key: begun.waitsFor, payload });
      if (buffered === null) return [];
      return possibilities(world, this.#wishes, buffered.scene)[i]?.happening ?? [];
    });
  }

  /** Where a wait has timed out: its event comes after all. It is followed when some node may still take it. */
  #late(world: World, possible: readonly Possible[]): readonly Happening[] {
    return possible.flatMap(({ node, happening }) => {
      const timedOut = happening.ways.some((way) => way.node === node && way.ending === 'timeout');
      const { kind } = world.program.statics.nodeOf(node);
      if (!timedOut || kind.type !== 'wait' || isOver(happening.scene)) return [];
      const [payload = {}] = this.#wishes.outputs.get(node) ?? [];
      const late = send(world, happening.scene, { type: 'event', key: kind.correlation_key, payload });
      if (late === null) return [];
      if (takers(world, happening.scene, kind.correlation_key)) return [late];
      this.#unreadLate.add(node);
      return [];
    });
  }
}

/** Can a run come to a node that waits for the key? */
function takers({ program }: World, { run }: Scene, key: string): boolean {
  const { graph } = program.statics;
  const seen = new Set(activeOf(program, run).map(({ node }) => graph.indexOf(node) ?? 0));
  for (const node of seen) for (const { to } of graph.allOut(node)) if (to >= 0) seen.add(to);
  return [...seen].some((node) => {
    const { kind } = graph.node(node);
    return kind.type === 'wait' && kind.condition !== 'timer' && kind.correlation_key === key;
  });
}
