import { BACKOFF, ends, holdOf, pausedOf, resumedOf, retryOf, routeOf } from '../compile/names.ts';
import { type Alternative, choiceOf, type Ending } from '../compile/routes.ts';
import { parkedForMs } from '../compile/timers.ts';
import { at } from '../graph/at.ts';
import type { Node } from '../ir/workflow.ts';
import type { Json, JsonObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import { UNSPACED_ATTEMPTS } from '../step/backoff.ts';
import type { Exits, States, Ways } from './ways.ts';

/** The states of single nodes: the same life cycle whatever the shape around them. */
export class NodeStates {
  readonly #ways: Ways;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  /** Adds the states of one node. */
  add(states: States, index: number, exits: Exits): void {
    const node = this.#ways.graph.node(index);
    const routes = at(this.#ways.routes, index);
    const ok = choiceOf(routes);
    if (ok.length > 1 && node.kind.type !== 'condition') {
      const id = routeOf(this.#ways.name(index));
      states[id] = { id, always: this.#choices(index, ok, 'ok', exits, 'route') };
    }
    const behaviour = definitionOf(node.kind).behaviour(node.kind);
    switch (behaviour) {
      case 'control':
        this.#control(states, index, exits);
        break;
      case 'work':
      case 'child':
        this.#work(states, index, node, exits);
        break;
      case 'approval':
        this.#parked(states, index, exits, {
          decide: [
            ...this.#endings(index, 'approved', exits, decided(node.id, 'approved')),
            ...this.#endings(index, 'rejected', exits, decided(node.id, 'rejected')),
          ],
          fail: this.#failing(index, exits, here(node.id)),
        });
        break;
      case 'wait': {
        const hears = node.kind.type === 'wait' && node.kind.condition !== 'timer';
        this.#parked(states, index, exits, hears ? { event: this.#endings(index, 'ok', exits, here(node.id)) } : {});
        break;
      }
      default: {
        const unhandled: never = behaviour;
        throw new TypeError(`unhandled behaviour ${JSON.stringify(unhandled)}`);
      }
    }
  }

  #control(states: States, index: number, exits: Exits): void {
    const node = this.#ways.graph.node(index);
    const id = this.#ways.name(index);
    const alternatives = at(this.#ways.routes, index).ok ?? [];
    let always: Json;
    if (node.kind.type === 'limit_exceeded') {
      always = [
        { guard: { type: 'halted' }, target: `#${ends('failed')}` },
        { target: `#${ends('limit_exceeded')}`, actions: [{ type: 'pass', params: { node: node.id } }] },
      ];
    } else if (alternatives.length > 1 && node.kind.type !== 'condition') {
      always = [{ target: `#${routeOf(id)}`, actions: [{ type: 'pass', params: { node: node.id, choosing: true } }] }];
    } else {
      always = this.#choices(index, alternatives, 'ok', exits, 'pass');
    }
    states[id] = { id, tags: ['busy'], meta: this.#meta(index), always };
  }

  #work(states: States, index: number, node: Node, exits: Exits): void {
    const id = this.#ways.name(index);
    const { max_attempts: max, initial_delay, max_delay, retryable_on } = node.retry;
    const atOnce = initial_delay === 0 || max_delay === 0;
    const waits = !atOnce || max > UNSPACED_ATTEMPTS;
    const params = { node: node.id, max, ...(retryable_on.length === 0 ? {} : { on: retryable_on }) };
    const actions = [{ type: 'retry', params: { node: node.id } }];
    const begins = waits ? { ...params, at_once: true } : params;
    const retries = [
      ...(atOnce ? [{ guard: { type: 'retry', params: begins }, target: `#${id}`, actions, reenter: true }] : []),
      ...(waits ? [{ guard: { type: 'retry', params }, target: `#${retryOf(id)}`, actions }] : []),
    ];
    const fail = [...(max > 1 ? retries : []), ...this.#failing(index, exits, here(node.id))];
    const requeue = { guard: here(node.id), target: `#${id}`, reenter: true };
    const lost = exits.lost === null ? {} : { always: [exits.lost] };
    const state = { tags: ['busy'], ...lost };
    if (node.kind.type === 'subgraph') this.#child(states, index, { fail, requeue }, exits);
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
    if (this.#ways.isHeld(index)) {
      states[holdOf(id)] = {
        id: holdOf(id),
        tags: ['busy', 'held'],
        ...lost,
        meta: { node: node.id },
        entry: [{ type: 'begin', params: { node: node.id } }],
        on: {
          decide: [
            {
              guard: decided(node.id, 'approved'),
              target: `#${id}`,
              actions: [{ type: 'allow', params: { node: node.id } }],
            },
            ...this.#failing(index, exits, decided(node.id, 'rejected')),
          ],
        },
      };
    }
  }

  /** A child execution: busy while it runs, parked while it is paused. */
  #child(states: States, index: number, on: JsonObject, exits: Exits): void {
    const id = this.#ways.name(index);
    const node = this.#ways.id(index);
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

  #parked(states: States, index: number, exits: Exits, on: JsonObject): void {
    const id = this.#ways.name(index);
    const node = this.#ways.id(index);
    const timeoutMs = parkedForMs(this.#ways.graph.node(index).kind);
    const after = timeoutMs === null ? {} : { after: { [String(timeoutMs)]: this.#endings(index, 'timeout', exits, null) } };
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
    const routes = at(this.#ways.routes, index);
    const alternatives = routes[ending];
    if (alternatives === null || alternatives === undefined) return this.#failing(index, exits, guard);
    const guarded = guard === null ? {} : { guard };
    if (alternatives.length > 1) {
      const params = { node: this.#ways.id(index), choosing: true };
      return [{ ...guarded, target: `#${routeOf(this.#ways.name(index))}`, actions: [{ type: 'complete', params }] }];
    }
    return [{ ...guarded, ...this.#ways.leaving(exits.way(at(alternatives, 0), ending), 'complete', index) }];
  }

  #failing(index: number, exits: Exits, guard: JsonObject | null, action: 'fail' | 'exceed' = 'fail'): JsonObject[] {
    const guarded = guard === null ? {} : { guard };
    const handler = at(this.#ways.routes, index).failed?.[0];
    if (handler === undefined) return [{ ...guarded, ...this.#ways.leaving(exits.failed, action, index) }];
    return [{ ...guarded, ...this.#ways.leaving(exits.way(handler, 'failed'), action, index, { handled: true }) }];
  }

  /** Alternatives as guarded transitions; the first whose condition holds is taken. */
  #choices(
    index: number,
    alternatives: readonly Alternative[],
    ending: Ending,
    exits: Exits,
    action: 'route' | 'pass',
  ): JsonObject[] {
    return alternatives.flatMap((alternative) => {
      const node = this.#ways.id(index);
      const way = this.#ways.leaving(exits.way(alternative, ending), action, index);
      if (alternative.when !== null) return [{ guard: { type: 'when', params: { node, expr: alternative.when } }, ...way }];
      // What comes without a condition is not to be taken because a condition could not be afforded.
      return alternatives.length === 1
        ? [way]
        : [...this.#failing(index, exits, { type: 'exceeded', params: { node } }, 'exceed'), way];
    });
  }

  #meta(index: number): JsonObject {
    const { id, kind, description } = this.#ways.graph.node(index);
    return { node: id, kind: kind.type, ...(description === null ? {} : { description }) };
  }
}

function here(node: string): JsonObject {
  return { type: 'at', params: { node } };
}

function decided(node: string, as: 'approved' | 'rejected'): JsonObject {
  return { type: 'decided', params: { node, as } };
}
