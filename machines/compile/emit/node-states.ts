import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import { RESULT_ROLES } from '../../graph/edges.ts';
import type { Node } from '../../ir/workflow.ts';
import type { Json, JsonObject } from '../../json.ts';
import { definitionOf } from '../../nodes/index.ts';
import { lateNamesOf } from '../../program/late-names.ts';
import { type Alternative, exclusiveChoice, type NodeOutcome } from '../../program/outcome-routes.ts';
import {
  approvalStateId,
  BACKOFF,
  backoffStateId,
  choiceStateId,
  PARKED,
  parkedStateId,
  pausedChildStateId,
  resumedChildStateId,
  reviewStateId,
  waitingStateId,
} from '../../program/state-ids.ts';
import { attemptTimeoutMs } from '../../program/timers.ts';
import type { NodeExits, StateConfigs, TransitionBuilder } from './transitions.ts';

/** The states of single nodes: the same life cycle in a sequence, a fork and a subgraph. */
export class NodeStates {
  readonly #transitions: TransitionBuilder;

  constructor(transitions: TransitionBuilder) {
    this.#transitions = transitions;
  }

  /** Adds the states of one node. */
  *add(states: StateConfigs, index: number, exits: NodeExits): Cooperative<void> {
    const node = this.#transitions.graph.node(index);
    const routes = at(this.#transitions.routes, index);
    const ok = exclusiveChoice(routes);
    const definition = definitionOf(node.kind);
    if (ok.length > 1 && definition.branching !== 'choice') {
      const id = choiceStateId(this.#transitions.name(index));
      states[id] = { id, always: yield* this.#alternatives(index, ok, 'ok', exits, 'choose') };
    }
    const behaviour = definition.behaviour(node.kind);
    switch (behaviour) {
      case 'control':
        yield* this.#control(states, index, exits);
        break;
      case 'work':
      case 'child':
        this.#work(states, index, node, exits);
        break;
      case 'judge':
      case 'items':
        states[this.#transitions.name(index)] = this.#stepped(index, node, exits);
        break;
      case 'approval':
        this.#parked(states, index, exits, {
          decide: [
            ...this.#outcome(index, 'approved', exits, decided(node.id, 'approved')),
            ...this.#outcome(index, 'rejected', exits, decided(node.id, 'rejected')),
          ],
          fail: this.#failure(index, exits, atNode(node.id)),
        });
        break;
      case 'wait': {
        const receivesEvents = definition.waitsForEvent(node.kind) !== null;
        this.#parked(states, index, exits, {
          ...(receivesEvents ? { event: this.#outcome(index, 'ok', exits, atNode(node.id)) } : {}),
          ...(definition.parkTimeout(node.kind) === 'template' ? { fail: this.#failure(index, exits, atNode(node.id)) } : {}),
        });
        break;
      }
      default: {
        const unhandled: never = behaviour;
        throw new TypeError(`unhandled behaviour ${JSON.stringify(unhandled)}`);
      }
    }
  }

  *#control(states: StateConfigs, index: number, exits: NodeExits): Cooperative<void> {
    const node = this.#transitions.graph.node(index);
    const id = this.#transitions.name(index);
    const alternatives = at(this.#transitions.routes, index).ok ?? [];
    let always: Json;
    const definition = definitionOf(node.kind);
    if (definition.endsExecution) {
      always = [
        ...this.#transitions.rerouted(),
        this.#transitions.continuing(),
        { guard: { type: 'halted' }, ...this.#transitions.ending('failed') },
        this.#transitions.ending('limit_exceeded', [{ type: 'pass', params: { node: node.id } }]),
      ];
    } else if (alternatives.length > 1 && definition.branching !== 'choice') {
      always = [{ target: `#${choiceStateId(id)}`, actions: [{ type: 'pass', params: { node: node.id, choosing: true } }] }];
    } else {
      always = yield* this.#alternatives(index, alternatives, 'ok', exits, 'pass');
    }
    states[id] = { id, tags: ['busy'], meta: this.#meta(index), always };
  }

  #work(states: StateConfigs, index: number, node: Node, exits: NodeExits): void {
    const id = this.#transitions.name(index);
    const { max_attempts: max, initial_delay, max_delay, retryable_on } = node.retry;
    const atOnce = initial_delay === 0 || max_delay === 0;
    const params = { node: node.id, max, ...(retryable_on.length === 0 ? {} : { on: retryable_on }) };
    const actions = [{ type: 'retry', params: { node: node.id } }];
    const begins = { ...params, at_once: true };
    // Without a delay of its own, too: what failed may say when the next attempt may begin.
    const retries = [
      ...(atOnce ? [{ guard: { type: 'retry', params: begins }, target: `#${id}`, actions, reenter: true }] : []),
      { guard: { type: 'retry', params }, target: `#${backoffStateId(id)}`, actions },
    ];
    const fail = [...(max > 1 ? retries : []), ...this.#failure(index, exits, atNode(node.id))];
    const requeue = { guard: atNode(node.id), target: `#${id}`, reenter: true };
    const whenCancelled = exits.cancelled === null ? {} : { always: [exits.cancelled] };
    const state = { tags: ['busy'], ...whenCancelled };
    const attemptMs = attemptTimeoutMs(node);
    const after = attemptMs === null ? {} : { after: { [String(attemptMs)]: this.#failure(index, exits, null) } };
    if (definitionOf(node.kind).behaviour(node.kind) === 'child') this.#child(states, index, { fail, requeue }, exits);
    else {
      states[id] = {
        id,
        ...state,
        meta: this.#meta(index),
        entry: [{ type: 'begin', params: { node: node.id } }],
        on: {
          done: [
            ...this.#notPassed(index, exits),
            ...this.#askedRoutes(index, exits),
            ...this.#outcome(index, 'ok', exits, atNode(node.id)),
          ],
          fail,
          claimed: { guard: atNode(node.id), actions: [{ type: 'claimed', params: { node: node.id } }] },
          requeue,
          ...this.#parking(states, index, node, { requeue, whenCancelled }),
        },
        ...after,
      };
    }
    this.#review(states, index, exits);
    if (max > 1) states[backoffStateId(id)] = { id: backoffStateId(id), ...state, after: { [BACKOFF]: { target: `#${id}` } } };
    if (this.#transitions.needsApproval(index)) {
      states[approvalStateId(id)] = {
        id: approvalStateId(id),
        tags: ['busy', 'approval'],
        ...whenCancelled,
        meta: { node: node.id },
        entry: [{ type: 'begin', params: { node: node.id } }],
        on: {
          decide: [
            {
              guard: decided(node.id, 'approved'),
              target: `#${id}`,
              actions: [{ type: 'approve', params: { node: node.id } }],
            },
            ...this.#failure(index, exits, decided(node.id, 'rejected')),
          ],
          // Whether it is blocked by names that are known late is known when it begins.
          ...(lateNamesOf(node.kind) === null ? {} : { fail: this.#failure(index, exits, atNode(node.id)) }),
        },
      };
    }
  }

  /** The states of a durable function that only waits, which it leaves to work again, and the transitions to them. */
  #parking(
    states: StateConfigs,
    index: number,
    { id: node, kind }: Node,
    to: { requeue: Json; whenCancelled: JsonObject },
  ): JsonObject {
    if (!definitionOf(kind).keepsJournal) return {};
    const name = this.#transitions.name(index);
    const state = (id: string, tag: string): void => {
      states[id] = { id, tags: [tag], ...to.whenCancelled, meta: { node }, on: { requeue: to.requeue } };
    };
    state(parkedStateId(name), 'parked');
    state(waitingStateId(name), 'busy');
    return {
      park: { guard: atNode(node), target: `#${parkedStateId(name)}` },
      wait: { guard: atNode(node), target: `#${waitingStateId(name)}` },
    };
  }

  /** What follows from a result that does not pass, unless the node completes. */
  #notPassed(index: number, exits: NodeExits): JsonObject[] {
    const { id: node, kind } = this.#transitions.graph.node(index);
    const scoring = definitionOf(kind).scoring(kind);
    if (scoring === null || scoring.onFail === 'log_and_continue') return [];
    const guard = { type: 'notPassed', params: { node } };
    if (scoring.onFail === 'escalate') {
      const target = `#${reviewStateId(this.#transitions.name(index))}`;
      return [{ guard, target, actions: [{ type: 'review', params: { node } }] }];
    }
    const halts = this.#failure(index, exits, guard);
    if (scoring.onFail === 'halt' || scoring.maxRetries === 0) return halts;
    const again = { type: 'notPassed', params: { node, max: scoring.maxRetries } };
    return [...this.#outcome(index, 'again', exits, again), ...halts];
  }

  /** The state in which a person reviews scores. */
  #review(states: StateConfigs, index: number, exits: NodeExits): void {
    const { id: node, kind } = this.#transitions.graph.node(index);
    const scoring = definitionOf(kind).scoring(kind);
    if (scoring?.onFail !== 'escalate') return;
    const id = reviewStateId(this.#transitions.name(index));
    const { reviewTimeoutMs } = scoring;
    const after =
      reviewTimeoutMs === null ? {} : { after: { [String(reviewTimeoutMs)]: this.#outcome(index, 'timeout', exits, null) } };
    states[id] = {
      id,
      tags: ['parked'],
      ...(exits.cancelled === null ? {} : { always: [exits.cancelled] }),
      meta: { node },
      on: {
        decide: [
          ...this.#outcome(index, 'approved', exits, decided(node, 'approved')),
          ...this.#outcome(index, 'rejected', exits, decided(node, 'rejected')),
        ],
      },
      ...after,
    };
  }

  /**
   * The state of a node that is done by the step itself: one that asks a policy, which it leaves as soon as it begins, or when a person has decided;
   * one that works on a list, of which the step knows the items, however long the list is.
   */
  #stepped(index: number, { id: node, kind }: Node, exits: NodeExits): JsonObject {
    const id = this.#transitions.name(index);
    const totalMs = definitionOf(kind).parkTimeout(kind);
    return {
      id,
      tags: ['busy'],
      ...(exits.cancelled === null ? {} : { always: [exits.cancelled] }),
      meta: this.#meta(index),
      entry: [{ type: 'begin', params: { node } }],
      on: {
        done: [...this.#askedRoutes(index, exits), ...this.#outcome(index, 'ok', exits, atNode(node))],
        fail: this.#failure(index, exits, atNode(node)),
      },
      ...(totalMs === null ? {} : { after: { [String(totalMs)]: this.#failure(index, exits, null) } }),
    };
  }

  /** The transitions of results that ask for a route of their own. */
  #askedRoutes(index: number, exits: NodeExits): JsonObject[] {
    const routes = at(this.#transitions.routes, index);
    const node = this.#transitions.id(index);
    return RESULT_ROLES.flatMap((as) =>
      routes[as] === undefined ? [] : this.#outcome(index, as, exits, { type: 'routed', params: { node, as } }),
    );
  }

  /** The states of a node with a child execution: busy while the child runs, parked while it is paused. */
  #child(states: StateConfigs, index: number, on: JsonObject, exits: NodeExits): void {
    const id = this.#transitions.name(index);
    const node = this.#transitions.id(index);
    const is = (status: string): JsonObject => ({ type: 'childIs', params: { node, status } });
    const news = (status: string, target: string): JsonObject => ({
      guard: is(status),
      target: `#${target}`,
      actions: [{ type: 'childChanged', params: { node } }],
    });
    const completed = this.#outcome(index, 'ok', exits, is('completed'));
    const whenCancelled = exits.cancelled === null ? {} : { always: [exits.cancelled] };
    states[id] = {
      id,
      tags: ['busy'],
      ...whenCancelled,
      meta: this.#meta(index),
      entry: [{ type: 'begin', params: { node } }],
      on: {
        ...on,
        child: [
          { guard: is('started'), actions: [{ type: 'childChanged', params: { node } }] },
          news('paused', pausedChildStateId(id)),
          ...completed,
        ],
      },
    };
    states[pausedChildStateId(id)] = {
      id: pausedChildStateId(id),
      tags: ['parked'],
      ...whenCancelled,
      meta: { node },
      on: { ...on, child: [news('running', resumedChildStateId(id)), ...completed] },
    };
    states[resumedChildStateId(id)] = {
      id: resumedChildStateId(id),
      tags: ['busy'],
      ...whenCancelled,
      meta: { node },
      on: { ...on, child: [news('paused', pausedChildStateId(id)), ...completed] },
    };
  }

  #parked(states: StateConfigs, index: number, exits: NodeExits, on: JsonObject): void {
    const id = this.#transitions.name(index);
    const node = this.#transitions.id(index);
    const { kind } = this.#transitions.graph.node(index);
    const timeout = definitionOf(kind).parkTimeout(kind);
    const delay = timeout === 'template' ? PARKED : String(timeout);
    const after = timeout === null ? {} : { after: { [delay]: this.#outcome(index, 'timeout', exits, null) } };
    const whenCancelled = exits.cancelled === null ? {} : { always: [exits.cancelled] };
    states[id] = {
      id,
      tags: ['parked'],
      ...whenCancelled,
      meta: this.#meta(index),
      entry: [{ type: 'begin', params: { node } }],
      on,
      ...after,
    };
  }

  /** The transitions of an outcome: to the choice among its alternatives, or to the only one. */
  #outcome(index: number, ending: NodeOutcome, exits: NodeExits, guard: JsonObject | null): JsonObject[] {
    const routes = at(this.#transitions.routes, index);
    const alternatives = routes[ending];
    if (alternatives === null || alternatives === undefined) return this.#failure(index, exits, guard);
    const guarded = guard === null ? {} : { guard };
    if (alternatives.length > 1) {
      const params = { node: this.#transitions.id(index), choosing: true };
      return [
        { ...guarded, target: `#${choiceStateId(this.#transitions.name(index))}`, actions: [{ type: 'complete', params }] },
      ];
    }
    return [{ ...guarded, ...this.#transitions.fromNode(exits.transition(at(alternatives, 0), ending), 'complete', index) }];
  }

  #failure(index: number, exits: NodeExits, guard: JsonObject | null, action: 'fail' | 'exceed' = 'fail'): JsonObject[] {
    const guarded = guard === null ? {} : { guard };
    const handler = at(this.#transitions.routes, index).failed?.[0];
    if (handler === undefined) return [{ ...guarded, ...this.#transitions.fromNode(exits.failed, action, index) }];
    return [{ ...guarded, ...this.#transitions.fromNode(exits.transition(handler, 'failed'), action, index, { handled: true }) }];
  }

  /** Guarded transitions, of which the first whose condition holds is taken. */
  *#alternatives(
    index: number,
    alternatives: readonly Alternative[],
    ending: NodeOutcome,
    exits: NodeExits,
    action: 'choose' | 'pass',
  ): Cooperative<JsonObject[]> {
    const node = this.#transitions.id(index);
    const guarded: JsonObject[] = [];
    for (const alternative of alternatives) {
      const transition = this.#transitions.fromNode(exits.transition(alternative, ending), action, index);
      if (alternative.when !== null)
        guarded.push({ guard: { type: 'when', params: { node, expr: alternative.when } }, ...transition });
      else {
        // When the evaluation budget ends at a condition, the alternative without one must not be taken instead.
        if (alternatives.length > 1)
          guarded.push(...this.#failure(index, exits, { type: 'exceeded', params: { node } }, 'exceed'));
        guarded.push(transition);
      }
      yield;
    }
    return guarded;
  }

  #meta(index: number): JsonObject {
    const { id, kind, description } = this.#transitions.graph.node(index);
    return { node: id, kind: kind.type, ...(description === null ? {} : { description }) };
  }
}

function atNode(node: string): JsonObject {
  return { type: 'at', params: { node } };
}

function decided(node: string, as: 'approved' | 'rejected'): JsonObject {
  return { type: 'decided', params: { node, as } };
}
