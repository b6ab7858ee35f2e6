import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';
import type { Node } from '../ir/workflow.ts';
import type { Json, JsonObject } from '../json.ts';
import type { PolicyVerdict } from '../policy.ts';
import { BACKOFF, ends, FINISH, gateOf, holdOf, pausedOf, resumedOf, retryOf, routeOf, START, stateId } from './names.ts';
import type { OutputUse } from './outputs.ts';
import type { Follow } from './parameters.ts';
import type { Alternative, Ending, Routes } from './routes.ts';
import type { Branch, Fork, Plan, Section } from './shapes.ts';
import { skippedAfter } from './skips.ts';
import { NONE } from './sweep.ts';

/** A transition's target and what follows from taking it. */
interface Way {
  readonly target: string;
  readonly follow: Follow;
  readonly reenter?: true;
}

/** Where the ways of a region's nodes lead. */
interface Surroundings {
  readonly plan: Plan;
  /** The node behind the region; `NONE` = none. */
  readonly exit: number;
  /** The branch it is, which bounds what is skipped; null = the whole graph. */
  readonly branch: Branch | null;
  readonly joined: Way;
  readonly ended: Way;
  readonly failed: Way;
}

/** How one node's endings leave it. */
interface Exits {
  way(alternative: Alternative, ending: Ending): Way;
  readonly failed: Way;
  /** Inside a section: where to go when a first-wins join has cancelled the node. */
  readonly lost: JsonObject | null;
}

type States = Record<string, Json>;

/** Turns a plan into the config of an XState machine: plain JSON over the vocabulary's guards, actions and delay. */
export class Emitter {
  readonly #graph: Graph;
  readonly #routes: readonly Routes[];
  readonly #use: OutputUse;
  readonly #verdicts: ReadonlyMap<number, PolicyVerdict>;
  readonly #approvalTimeoutSecs: number | null;

  constructor(parts: {
    readonly graph: Graph;
    readonly routes: readonly Routes[];
    readonly use: OutputUse;
    readonly verdicts: ReadonlyMap<number, PolicyVerdict>;
    readonly approvalTimeoutSecs: number | null;
  }) {
    this.#graph = parts.graph;
    this.#routes = parts.routes;
    this.#use = parts.use;
    this.#verdicts = parts.verdicts;
    this.#approvalTimeoutSecs = parts.approvalTimeoutSecs;
  }

  machine(id: string, plan: Plan): JsonObject {
    const finish: Way = { target: `#${FINISH}`, follow: {} };
    const states: States = {};
    const first = this.#graph.start;
    if (plan.whole !== null) {
      // A parallel state as the initial one of a machine costs cubic time to enter.
      const enter = [{ section: plan.whole.key, live: [this.#id(first)] }];
      states[START] = { id: START, always: this.#transition({ target: `#section:${plan.whole.key}`, follow: { enter } }, 'go') };
    }
    this.#region(states, this.#graph.order, {
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
      initial: plan.whole === null ? this.#entry(first).slice(1) : START,
      states,
      on: {
        cancel: { target: `#${ends('cancelled')}` },
        halt: [{ guard: { type: 'limitReached' }, target: `#${ends('limit_exceeded')}` }, { target: `#${ends('failed')}` }],
      },
    };
  }

  // ------------------------------------------------------------------ regions

  #region(states: States, nodes: Iterable<number>, around: Surroundings): void {
    const { plan } = around;
    if (plan.whole !== null) {
      this.#section(states, plan.whole, around);
      return;
    }
    const elsewhere = new Bits(this.#graph.nodes.length);
    for (const fork of plan.forks.values()) for (const branch of fork.branches) elsewhere.addAll(branch.nodes);
    for (const section of plan.sections.values()) for (const node of section.nodes) elsewhere.add(node);
    for (const node of nodes) {
      if (elsewhere.has(node)) continue;
      this.#node(states, node, {
        way: (alternative, ending) => this.#threadWay(node, alternative, ending, around),
        failed: around.failed,
        lost: null,
      });
      for (const fork of this.#forksOf(node, plan)) this.#fork(states, fork, around);
      const section = plan.sections.get(node);
      if (section !== undefined) this.#section(states, section, around);
    }
  }

  #forksOf(node: number, plan: Plan): Set<Fork> {
    const all = Object.values(at(this.#routes, node)).flatMap((alternatives) => alternatives ?? []);
    return new Set(all.flatMap((alternative) => plan.forks.get(alternative) ?? []));
  }

  /** Where a token goes that travels alone. */
  #threadWay(node: number, alternative: Alternative, ending: Ending, around: Surroundings): Way {
    if (alternative.back !== null) return this.#backWay(alternative.back.to, []);
    const section = around.plan.sections.get(node);
    if (section !== undefined) {
      const live = alternative.targets.map((target) => this.#id(target));
      const mark = { section: section.key, live, ...(ending === 'failed' ? { failed: true as const } : {}) };
      return { target: `#section:${section.key}`, follow: { enter: [mark] } };
    }
    const { targets } = alternative;
    const skip = this.#skipAfter(node, targets, around.branch);
    const fork = around.plan.forks.get(alternative);
    if (fork !== undefined) {
      return {
        target: `#fork:${fork.key}`,
        follow: { ...this.#feed(targets), ...skip, ...openings(fork, this.#graph) },
      };
    }
    const [target] = targets;
    if (target === undefined) return { ...around.ended, follow: { ...around.ended.follow, ...skip } };
    if (target === around.exit) return { ...around.joined, follow: { ...around.joined.follow, ...this.#feed(targets), ...skip } };
    return { target: this.#entry(target), follow: { ...this.#feed(targets), ...skip } };
  }

  #backWay(head: number, leave: readonly string[]): Way {
    return {
      target: this.#entry(head),
      reenter: true,
      // A join merges its sources, whichever way it was reached.
      follow: {
        ...(this.#graph.node(head).kind.type === 'join' ? {} : this.#feed([head])),
        ...(leave.length === 0 ? {} : { leave }),
      },
    };
  }

  #fork(states: States, fork: Fork, around: Surroundings): void {
    const key = `fork:${fork.key}`;
    const leave = { leave: [fork.key] };
    const leaving = (way: Way): Way => ({ ...way, follow: { ...way.follow, leave: [...(way.follow.leave ?? []), fork.key] } });
    const meets = fork.join === around.exit && fork.join !== NONE;
    const toJoin: Way =
      fork.join === NONE ? around.ended : meets ? around.joined : { target: this.#entry(fork.join), follow: {} };
    const first = fork.join !== NONE && this.#graph.isFirstJoin(fork.join);
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
        this.#fork(inside, branch.entry, surroundings);
        for (const inner of branch.entry.branches) own.removeAll(inner.nodes);
      }
      this.#region(inside, this.#graph.inOrder(own), surroundings);
      for (const as of ['joined', 'ended', 'failed']) inside[`${as}:`] = { id: `${as}:${name}`, tags: ['arrived'] };
      branches[`branch:${name}`] = { id: `branch:${name}`, initial: this.#entryKey(branch), states: inside };
    }
    const of = fork.branches.length + (fork.direct ? 1 : 0);
    const closed = (as?: 'joined' | 'failed'): JsonObject => ({
      type: 'closed',
      params: { fork: fork.key, of, ...(as === undefined ? {} : { as }) },
    });
    const skipJoin = fork.join === NONE || meets ? {} : this.#skipFrom(fork.join, around.branch);
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { fork: this.#id(fork.owner), join: fork.join === NONE ? null : this.#id(fork.join) },
      states: branches,
      always: [
        { guard: closed('failed'), ...this.#transition(leaving(around.failed), 'go') },
        ...(fork.join === NONE || first ? [] : [{ guard: closed('joined'), ...this.#transition(leaving(toJoin), 'go') }]),
        {
          guard: closed(),
          ...this.#transition(
            {
              ...around.ended,
              follow: { ...around.ended.follow, ...skipJoin, leave: [...(around.ended.follow.leave ?? []), ...leave.leave] },
            },
            'go',
          ),
        },
      ],
    };
  }

  #entryKey(branch: Branch): string {
    if (branch.entry === null) return `section:${branch.plan.whole?.key}`;
    if (typeof branch.entry !== 'number') return `fork:${branch.entry.key}`;
    return this.#entry(branch.entry).slice(1);
  }

  #section(states: States, section: Section, around: Surroundings): void {
    const key = `section:${section.key}`;
    const tracks: States = {};
    const inside = new Set(section.nodes);
    const loops = this.#graph.loops.filter((loop) => inside.has(loop.head));
    section.tracks.forEach((track, i) => {
      this.#track(tracks, section, track, i, loops);
    });
    const leaving = (way: Way): Way => ({ ...way, follow: { ...way.follow, leave: [...(way.follow.leave ?? []), section.key] } });
    const always: Json[] = [];
    if (section.join !== NONE) {
      const join = this.#id(section.join);
      const meets = section.join === around.exit;
      const toJoin = meets ? around.joined : { target: this.#entry(section.join), follow: {} };
      const skipJoin = meets ? {} : this.#skipFrom(section.join, around.branch);
      const ended: Way = { ...around.ended, follow: { ...around.ended.follow, ...skipJoin } };
      always.push({
        guard: { type: 'ready', params: { section: section.key, node: join } },
        ...this.#transition(leaving(toJoin), 'go'),
      });
      always.push({
        guard: { type: 'over', params: { section: section.key, node: join } },
        ...this.#transition(leaving(ended), 'go'),
      });
    }
    const settled = (failed: boolean): JsonObject => ({
      type: 'settled',
      params: { section: section.key, ...(failed ? { failed } : {}) },
    });
    always.push({ guard: settled(true), ...this.#transition(leaving(around.failed), 'go') });
    if (section.join === NONE) always.push({ guard: settled(false), ...this.#transition(leaving(around.ended), 'go') });
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { section: section.key, join: section.join === NONE ? null : this.#id(section.join) },
      states: tracks,
      always,
    };
  }

  #track(tracks: States, section: Section, track: readonly number[], index: number, loops: readonly Loop[]): void {
    const over = `over:${this.#name(at(track, 0))}`;
    const states: States = {};
    const rounds = loops.filter((loop) => track.some((node) => loop.body.has(node)));
    const gate = (node: number | undefined): string => `#${node === undefined ? over : gateOf(this.#name(node))}`;
    const restart = (head: number): string => {
      const loop = rounds.find((candidate) => candidate.head === head);
      return gate(track.find((node) => loop?.body.has(node) === true));
    };
    track.forEach((node, i) => {
      const next = gate(track[i + 1]);
      const params = { section: section.key, node: this.#id(node) };
      states[gateOf(this.#name(node))] = {
        id: gateOf(this.#name(node)),
        meta: { gate: this.#id(node) },
        always: [
          { guard: { type: 'ready', params }, target: this.#entry(node), actions: [{ type: 'enter', params }] },
          { guard: { type: 'over', params }, target: next },
        ],
      };
      this.#node(states, node, {
        way: (alternative, ending) => {
          if (alternative.back !== null) {
            const { to } = alternative.back;
            if (!loops.some((loop) => loop.head === to)) return this.#backWay(to, [section.key]);
            return { target: restart(to), follow: { again: { section: section.key, to: this.#id(to) } } };
          }
          const live = alternative.targets.map((target) => this.#id(target));
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
    const region: States = { id: `track:${this.#name(at(track, 0))}`, initial: gateOf(this.#name(at(track, 0))), states };
    if (rounds.length > 0) {
      region.always = rounds.map(({ head }) => {
        const params = { section: section.key, track: index, loop: this.#id(head) };
        return { guard: { type: 'goesRound', params }, target: restart(head), actions: [{ type: 'rewound', params }] };
      });
    }
    tracks[`track:${this.#name(at(track, 0))}`] = region;
  }

  // ------------------------------------------------------------------ nodes

  #node(states: States, index: number, exits: Exits): void {
    const node = this.#graph.node(index);
    const routes = at(this.#routes, index);
    const ok = Object.values(routes).find((alternatives) => alternatives !== null && alternatives.length > 1) ?? [];
    if (ok.length > 1 && node.kind.type !== 'condition') {
      const id = routeOf(this.#name(index));
      states[id] = { id, always: this.#choices(index, ok, 'ok', exits, 'route') };
    }
    switch (node.kind.type) {
      case 'condition':
      case 'parallel':
      case 'limit_exceeded':
        this.#control(states, index, exits);
        break;
      case 'join':
        if (this.#graph.isControl(index)) this.#control(states, index, exits);
        else this.#work(states, index, node, exits);
        break;
      case 'human_approval': {
        const secs = node.kind.timeout_secs ?? this.#approvalTimeoutSecs;
        this.#parked(states, index, secs, exits, {
          decide: [
            ...this.#endings(index, 'approved', exits, { type: 'decided', params: { node: node.id, as: 'approved' } }),
            ...this.#endings(index, 'rejected', exits, { type: 'decided', params: { node: node.id, as: 'rejected' } }),
          ],
        });
        break;
      }
      case 'wait': {
        const hears = node.kind.condition !== 'timer';
        const on = hears ? { event: this.#endings(index, 'ok', exits, here(node.id)) } : {};
        this.#parked(states, index, node.kind.timeout_secs ?? null, exits, on);
        break;
      }
      default:
        this.#work(states, index, node, exits);
    }
  }

  #control(states: States, index: number, exits: Exits): void {
    const node = this.#graph.node(index);
    const id = this.#name(index);
    const alternatives = at(this.#routes, index).ok ?? [];
    let always: Json;
    if (node.kind.type === 'limit_exceeded') {
      always = [{ target: `#${ends('limit_exceeded')}`, actions: [{ type: 'pass', params: { node: node.id } }] }];
    } else if (alternatives.length > 1 && node.kind.type !== 'condition') {
      always = [{ target: `#${routeOf(id)}`, actions: [{ type: 'pass', params: { node: node.id, choosing: true } }] }];
    } else {
      always = this.#choices(index, alternatives, 'ok', exits, 'pass');
    }
    states[id] = { id, tags: ['busy'], meta: this.#meta(index), always };
  }

  #work(states: States, index: number, node: Node, exits: Exits): void {
    const id = this.#name(index);
    const isChild = node.kind.type === 'subgraph';
    const { max_attempts: max, initial_delay, max_delay, retryable_on } = node.retry;
    const waits = initial_delay > 0 && max_delay > 0;
    const retry = {
      guard: { type: 'retry', params: { node: node.id, max, ...(retryable_on.length === 0 ? {} : { on: retryable_on }) } },
      target: `#${waits ? retryOf(id) : id}`,
      actions: [{ type: 'retry', params: { node: node.id } }],
      ...(waits ? {} : { reenter: true }),
    };
    const fail = [...(max > 1 ? [retry] : []), ...this.#failing(index, exits, here(node.id))];
    const requeue = { guard: here(node.id), target: `#${id}`, reenter: true };
    const lost = exits.lost === null ? {} : { always: [exits.lost] };
    const state = { tags: ['busy'], ...lost };
    if (isChild) this.#child(states, index, { fail, requeue }, exits);
    else {
      states[id] = {
        id,
        ...state,
        meta: this.#meta(index),
        entry: [{ type: 'begin', params: { node: node.id } }],
        on: {
          done: this.#endings(index, 'ok', exits, here(node.id)),
          fail,
          claimed: { guard: here(node.id), actions: [{ type: 'claimed', params: { node: node.id } }] },
          requeue,
        },
      };
    }
    if (max > 1 && waits) states[retryOf(id)] = { id: retryOf(id), ...state, after: { [BACKOFF]: { target: `#${id}` } } };
    if (this.#verdicts.get(index)?.decision === 'require_approval') {
      states[holdOf(id)] = {
        id: holdOf(id),
        tags: ['busy', 'held'],
        ...lost,
        meta: { node: node.id },
        entry: [{ type: 'begin', params: { node: node.id } }],
        on: {
          decide: [
            {
              guard: { type: 'decided', params: { node: node.id, as: 'approved' } },
              target: `#${id}`,
              actions: [{ type: 'allow', params: { node: node.id } }],
            },
            ...this.#failing(index, exits, { type: 'decided', params: { node: node.id, as: 'rejected' } }),
          ],
        },
      };
    }
  }

  /** A child execution: busy while it runs, parked while it is paused. */
  #child(states: States, index: number, on: JsonObject, exits: Exits): void {
    const id = this.#name(index);
    const node = this.#id(index);
    const is = (status: string): JsonObject => ({ type: 'childIs', params: { node, status } });
    const news = (status: string, target: string): JsonObject => ({
      guard: is(status),
      target: `#${target}`,
      actions: [{ type: 'childNews', params: { node } }],
    });
    const completed = this.#endings(index, 'ok', exits, is('completed'));
    const lost = exits.lost === null ? {} : { always: [exits.lost] };
    states[id] = {
      id,
      tags: ['busy'],
      ...lost,
      meta: this.#meta(index),
      entry: [{ type: 'begin', params: { node } }],
      on: {
        ...on,
        child: [
          { guard: is('started'), actions: [{ type: 'childNews', params: { node } }] },
          news('paused', pausedOf(id)),
          ...completed,
        ],
      },
    };
    states[pausedOf(id)] = {
      id: pausedOf(id),
      tags: ['parked'],
      ...lost,
      meta: { node },
      on: { ...on, child: [news('running', resumedOf(id)), ...completed] },
    };
    states[resumedOf(id)] = {
      id: resumedOf(id),
      tags: ['busy'],
      ...lost,
      meta: { node },
      on: { ...on, child: [news('paused', pausedOf(id)), ...completed] },
    };
  }

  #parked(states: States, index: number, timeoutSecs: number | null, exits: Exits, on: JsonObject): void {
    const id = this.#name(index);
    const node = this.#id(index);
    const after =
      timeoutSecs === null
        ? {}
        : { after: { [String(Math.round(timeoutSecs * 1000))]: this.#endings(index, 'timeout', exits, null) } };
    const lost = exits.lost === null ? {} : { always: [exits.lost] };
    states[id] = {
      id,
      tags: ['parked'],
      ...lost,
      meta: this.#meta(index),
      entry: [{ type: 'begin', params: { node } }],
      on,
      ...after,
    };
  }

  /** The transitions by which an ending leaves a node: to the choice among its ways, or straight on. */
  #endings(index: number, ending: Ending, exits: Exits, guard: JsonObject | null): JsonObject[] {
    const routes = at(this.#routes, index);
    const alternatives = routes[ending];
    if (alternatives === null || alternatives === undefined) return this.#failing(index, exits, guard);
    const guarded = guard === null ? {} : { guard };
    if (alternatives.length > 1) {
      const params = { node: this.#id(index), choosing: true };
      return [{ ...guarded, target: `#${routeOf(this.#name(index))}`, actions: [{ type: 'complete', params }] }];
    }
    return [{ ...guarded, ...this.#transition(exits.way(at(alternatives, 0), ending), 'complete', index) }];
  }

  #failing(index: number, exits: Exits, guard: JsonObject | null): JsonObject[] {
    const guarded = guard === null ? {} : { guard };
    const handler = at(this.#routes, index).failed?.[0];
    if (handler === undefined) return [{ ...guarded, ...this.#transition(exits.failed, 'fail', index) }];
    return [{ ...guarded, ...this.#transition(exits.way(handler, 'failed'), 'fail', index, { handled: true }) }];
  }

  /** Alternatives as guarded transitions; the first whose condition holds is taken. */
  #choices(
    index: number,
    alternatives: readonly Alternative[],
    ending: Ending,
    exits: Exits,
    action: 'route' | 'pass',
  ): JsonObject[] {
    return alternatives.map((alternative) => {
      const guard =
        alternative.when === null ? {} : { guard: { type: 'when', params: { node: this.#id(index), expr: alternative.when } } };
      return { ...guard, ...this.#transition(exits.way(alternative, ending), action, index) };
    });
  }

  #transition(way: Way, action: 'go'): JsonObject;
  #transition(way: Way, action: 'complete' | 'fail' | 'route' | 'pass', index: number, extra?: JsonObject): JsonObject;
  #transition(way: Way, action: string, index?: number, extra: JsonObject = {}): JsonObject {
    const follow = Object.keys(way.follow).length === 0 ? {} : { follow: way.follow as unknown as JsonObject };
    const reenter = way.reenter === true ? { reenter: true } : {};
    // A `go` or `route` from which nothing follows needs no action; a `route` also drops the output its conditions have read.
    const idle =
      Object.keys(follow).length === 0 &&
      (action === 'go' || (action === 'route' && index !== undefined && !at(this.#use.gives, index)));
    if (idle) return { target: way.target, ...reenter };
    const params = { ...(index === undefined ? {} : { node: this.#id(index) }), ...extra, ...follow };
    return { target: way.target, actions: [{ type: action, params }], ...reenter };
  }

  #feed(targets: readonly number[]): Pick<Follow, 'feed'> {
    const feed = targets.filter((target) => at(this.#use.receives, target)).map((target) => this.#id(target));
    return feed.length === 0 ? {} : { feed };
  }

  #skipAfter(node: number, targets: readonly number[], branch: Branch | null): Pick<Follow, 'skip'> {
    if (skippedAfter(this.#graph, node, targets, branch?.nodes ?? null).isEmpty()) return {};
    const skip = { after: this.#id(node), to: targets.map((target) => this.#id(target)) };
    return { skip: branch === null ? skip : { ...skip, within: branch.key } };
  }

  #skipFrom(join: number, branch: Branch | null): Pick<Follow, 'skip'> {
    return { skip: { from: this.#id(join), ...(branch === null ? {} : { within: branch.key }) } };
  }

  #meta(index: number): JsonObject {
    const node = this.#graph.node(index);
    return { node: node.id, kind: node.kind.type, ...(node.description === null ? {} : { description: node.description }) };
  }

  #id(index: number): string {
    return this.#graph.idOf(index);
  }

  #name(index: number): string {
    return stateId(this.#graph.idOf(index));
  }

  /** The state in which a visit to a node begins. */
  #entry(index: number): string {
    const held = this.#verdicts.get(index)?.decision === 'require_approval';
    return `#${held ? holdOf(this.#name(index)) : this.#name(index)}`;
  }
}

function here(node: string): JsonObject {
  return { type: 'at', params: { node } };
}

/** What entering a fork opens: itself, and what its branches start with. */
function openings(fork: Fork, graph: Graph): Pick<Follow, 'open' | 'enter'> {
  const open: { fork: string; direct?: true }[] = [];
  const enter: { section: string; live: readonly string[] }[] = [];
  const visit = (inner: Fork): void => {
    open.push({ fork: inner.key, ...(inner.direct ? { direct: true as const } : {}) });
    for (const branch of inner.branches) {
      const { whole } = branch.plan;
      if (branch.entry !== null && typeof branch.entry !== 'number') visit(branch.entry);
      else if (whole !== null) {
        enter.push({ section: whole.key, live: whole.entries.flatMap((edge) => (edge.to === END ? [] : [graph.idOf(edge.to)])) });
      }
    }
  };
  visit(fork);
  return { open, ...(enter.length === 0 ? {} : { enter }) };
}
