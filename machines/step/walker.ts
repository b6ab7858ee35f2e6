import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { type Cooperative, runToEnd } from '../cooperative.ts';
import { Configuration, type State } from './configuration.ts';
import type { MachineContext } from './context/step-context.ts';
import type { MachineEvent } from './machine-event.ts';

type XStateTransition = NonNullable<AnyStateNode['always']>[number];
type Given = { readonly context: MachineContext; readonly event: WalkedEvent };
type Walk = Given & { readonly trace: TransitionTrace | null };
type WalkedEvent = MachineEvent | { readonly type: 'xstate.init' };
type Guard = (given: Given, params: unknown) => boolean;
type Action = (given: Given) => void;

/** Is told of each transition that a machine takes, by the ids of its states. */
export type TransitionTrace = (source: string, target: string) => void;

/** What takes the steps of a machine without an actor. What they do beside the states is in the step context. */
export interface Stepper {
  initial(context: MachineContext, trace?: TransitionTrace): Configuration;
  /** Null = no transition is enabled. */
  move(configuration: Configuration, event: MachineEvent, context: MachineContext, trace?: TransitionTrace): Configuration | null;
}

interface Transition {
  readonly source: WalkedState;
  readonly guard: Guard | null;
  readonly params: unknown;
  readonly actions: readonly Action[];
  readonly target: WalkedState | null;
  /** What is inside it is left, and so are the states below; null = no state is left or entered. */
  readonly domain: WalkedState | null;
  /** In document order. */
  readonly entered: readonly WalkedState[];
  readonly enteredLeaves: readonly WalkedState[];
}

interface WalkedState extends State {
  readonly parent: WalkedState | null;
  readonly states: WalkedState[];
  last: number;
  readonly entry: readonly Action[];
  readonly exit: readonly Action[];
  /** Has the state or one around it exit actions? */
  readonly leavesWithActions: boolean;
  /** Compiled when they are first needed. */
  readonly on: Map<string, readonly Transition[]>;
  always: readonly Transition[] | null;
}

/** The transitions to take, and the sources of those that are enabled but would leave the same states. */
interface Enabled {
  readonly taken: readonly Transition[];
  readonly preempted: readonly WalkedState[];
}

/** The states whose eventless transitions depend on a subgraph. */
interface Watchers {
  readonly ofSubgraph: WalkedState[];
  readonly ofNode: Map<string, WalkedState[]>;
}

const NONE: readonly never[] = [];
const NOTHING: Enabled = { taken: NONE, preempted: NONE };

/** States read between two pauses. */
const STATES_PER_SLICE = 20;
/** Of those that a state takes by itself: a condition may have thousands of branches. */
const TRANSITIONS_PER_SLICE = 1_000;

/** Has the machine something that compiled machines do not have: history, invoked actors, final states inside others, events that it sends itself? */
class Unwalkable extends TypeError {
  constructor(what: string) {
    super(`no compiled machine has this: ${what}`);
  }
}

/**
 * XState's macrostep over its state nodes: it chooses the same transitions and runs the same actions in the same order. What a transition
 * leaves and enters is worked out once, and a step looks only at states that its event can concern, that it has entered, or whose guards read
 * what it has changed; so its cost does not grow with the number of branches. Tests compare it with XState's own.
 */
export class Walker implements Stepper {
  readonly machine: AnyStateMachine;
  readonly #root: WalkedState;
  readonly #byId = new Map<string, WalkedState>();
  /** The states of a node: its visits are in one of them, and events about the node concern no others. */
  readonly #byNode = new Map<string, WalkedState[]>();
  /** Other states with transitions for a type of event. */
  readonly #byType = new Map<string, WalkedState[]>();
  readonly #watchers = new Map<string, Watchers>();
  readonly #maxMicrosteps: number;
  /** The states that a run enters first, in document order, and their configuration; made when they are first needed. */
  #initial: readonly WalkedState[] | null = null;
  #initialConfiguration: Configuration | null = null;

  private constructor(machine: AnyStateMachine) {
    this.machine = machine;
    this.#maxMicrosteps = machine.options?.maxIterations ?? Number.POSITIVE_INFINITY;
    this.#root = this.#state(machine.root, null);
    runToEnd(this.#index(this.#root));
  }

  /** Reads the machine state by state. Throws `TypeError` if it has something that compiled machines do not have. */
  static *of(machine: AnyStateMachine): Cooperative<Walker> {
    const walker = new Walker(machine);
    yield* walker.#addStates(walker.#root);
    if (walker.#root.exit.length > 0 || machine.root.type !== 'compound') throw new Unwalkable('a root with exit actions');
    return walker;
  }

  /** Throws if the machine has no such states, or cannot be in just these. */
  at(positions: readonly string[]): Configuration {
    if (positions.length === 0) return Configuration.none;
    const leaves = positions.map((id) => this.#byId.get(id)).sort((a, b) => (a?.order ?? 0) - (b?.order ?? 0));
    const configuration = Configuration.of(
      leaves.map((leaf) => {
        if (leaf === undefined || leaf.states.length > 0) throw new TypeError(`no states ${positions.join(', ')}`);
        return leaf;
      }),
    );
    if (!isComplete(configuration, this.#root)) throw new TypeError(`not the states of a machine: ${positions.join(', ')}`);
    return configuration;
  }

  /** Is the machine in a state of the node, its wait for a retry excepted? */
  isAt(configuration: Configuration, node: string): boolean {
    return this.#byNode.get(node)?.some((state) => configuration.has(state)) === true;
  }

  /** Is it in a state that has transitions for events of the type? */
  hears(configuration: Configuration, type: string): boolean {
    return this.#byType.get(type)?.some((state) => configuration.has(state)) === true;
  }

  initial(context: MachineContext, trace: TransitionTrace | null = null): Configuration {
    const given = { context, event: { type: 'xstate.init' }, trace } as const;
    this.#initial ??= [this.#root, ...inside(this.#root)].sort(inDocumentOrder);
    const entered = this.#initial;
    for (const state of entered) for (const action of state.entry) action(given);
    this.#initialConfiguration ??= Configuration.of(entered.filter(isLeaf));
    return this.#settle(this.#initialConfiguration, entered, given);
  }

  /** Null = no transition is enabled. */
  move(
    configuration: Configuration,
    event: MachineEvent,
    context: MachineContext,
    trace: TransitionTrace | null = null,
  ): Configuration | null {
    const given = { context, event, trace };
    const { type } = event;
    const states = [...(this.#byType.get(type) ?? NONE)];
    if ('node' in event)
      for (const state of this.#byNode.get(event.node) ?? NONE) if (state.node.transitions.has(type)) states.push(state);
    const { taken } = this.#enabled(configuration, given, states, (state) => this.#transitionsFor(state, type));
    if (taken.length === 0) return null;
    const concerned: WalkedState[] = [];
    const next = this.#microstep(configuration, taken, given, concerned);
    context.step.takeLaneRewound();
    return this.#settle(next, concerned, given);
  }

  /** Takes eventless transitions until none is enabled. `concerned`: the states that the microstep before has entered, and those around them. */
  #settle(from: Configuration, concerned: readonly WalkedState[], given: Walk): Configuration {
    let configuration = from;
    let states = concerned;
    for (let microsteps = 1; ; microsteps++) {
      const { taken, preempted } = this.#enabledAlways(configuration, given, states);
      if (taken.length === 0) return configuration;
      if (microsteps > this.#maxMicrosteps)
        throw new Error(`more than ${this.#maxMicrosteps} eventless transitions in one step: a cycle of them`);
      // What was preempted is still enabled, unless its state is left.
      const next: WalkedState[] = [...preempted];
      const moved = this.#microstep(configuration, taken, given, next);
      const { step } = given.context;
      // Like XState, stops at a transition that leaves the states as they were. Only a lane that goes back to where it is already goes on.
      if (!step.takeLaneRewound() && moved === configuration) return configuration;
      configuration = moved;
      states = next;
    }
  }

  /** `concerned`: takes the states that are entered, and those around them. */
  #microstep(
    configuration: Configuration,
    transitions: readonly Transition[],
    given: Walk,
    concerned: WalkedState[],
  ): Configuration {
    const [only] = transitions;
    if (only !== undefined && transitions.length === 1) return this.#follow(configuration, only, given, concerned);
    if (given.trace !== null)
      for (const { source, target } of transitions) if (target !== null) given.trace(source.id, target.id);
    const left = transitions.map(({ domain }) => (domain === null ? NONE : configuration.leavesIn(domain))) as WalkedState[][];
    const exits = left.flatMap((leaves, i) => statesWithExits(leaves, transitions[i]?.domain ?? null));
    for (const state of exits.sort(innermostFirst)) for (const action of state.exit) action(given);
    for (const { actions } of transitions) for (const action of actions) action(given);
    enter(transitions.flatMap((one) => one.entered).sort(inDocumentOrder), given, concerned);
    let next = configuration;
    for (const [i, { domain, source, enteredLeaves }] of transitions.entries()) {
      if (domain !== null) next = next.moved(domain, left[i] ?? NONE, enteredLeaves);
      addWithAncestors(domain ?? source, concerned);
    }
    return next;
  }

  /** A microstep of one transition, as most are. */
  #follow(configuration: Configuration, transition: Transition, given: Walk, concerned: WalkedState[]): Configuration {
    const { source, target, domain, actions, entered, enteredLeaves } = transition;
    if (given.trace !== null && target !== null) given.trace(source.id, target.id);
    const left = domain === null ? NONE : (configuration.leavesIn(domain) as WalkedState[]);
    for (const state of statesWithExits(left, domain)) for (const action of state.exit) action(given);
    for (const action of actions) action(given);
    enter(entered, given, concerned);
    addWithAncestors(domain ?? source, concerned);
    return domain === null ? configuration : configuration.moved(domain, left, enteredLeaves);
  }

  /** The eventless transitions that are enabled: those of `concerned`, and those that read a subgraph which has changed. */
  #enabledAlways(configuration: Configuration, given: Given, concerned: readonly WalkedState[]): Enabled {
    if (configuration.end !== null) return NOTHING;
    const states = concerned.filter(({ node }) => node.always !== undefined);
    for (const { key, nodes } of given.context.step.takeChangedSubgraphs()) {
      const watchers = this.#watchers.get(key);
      if (watchers === undefined) continue;
      states.push(...watchers.ofSubgraph);
      for (const node of nodes) states.push(...(watchers.ofNode.get(node) ?? NONE));
    }
    return this.#enabled(configuration, given, states, (state) => this.#alwaysOf(state));
  }

  /** The transitions that XState would take: of each state the first whose guard holds, unless one inside the state is taken. */
  #enabled(
    configuration: Configuration,
    given: Given,
    states: readonly WalkedState[],
    transitionsOf: (state: WalkedState) => readonly Transition[],
  ): Enabled {
    const [only] = states;
    if (only === undefined) return NOTHING;
    if (states.length === 1) {
      const taken = configuration.has(only) ? firstEnabled(transitionsOf(only), given) : undefined;
      return taken === undefined ? NOTHING : { taken: [taken], preempted: NONE };
    }
    const enabled: Transition[] = [];
    for (const state of [...new Set(states)].sort(innermostFirst)) {
      if (enabled.some(({ source }) => isInside(source, state)) || !configuration.has(state)) continue;
      const taken = firstEnabled(transitionsOf(state), given);
      if (taken !== undefined) enabled.unshift(taken);
    }
    return withoutConflicts(enabled);
  }

  // ------------------------------------------------------------------ reading the machine

  *#addStates(parent: WalkedState): Cooperative<void> {
    const { node } = parent;
    for (const inner of Object.values(node.states) as AnyStateNode[]) {
      const state = this.#state(inner, parent);
      yield* this.#index(state);
      parent.states.push(state);
      if (state.order % STATES_PER_SLICE === 0) yield;
      yield* this.#addStates(state);
      parent.last = state.last;
    }
    if (node.type !== 'compound') return;
    const { target, actions } = node.initial;
    if (actions.length > 0 || target?.length !== 1 || target[0]?.parent !== node)
      throw new Unwalkable(`the initial state of ${node.id}`);
  }

  #state(node: AnyStateNode, parent: WalkedState | null): WalkedState {
    const { type } = node;
    const isFinal = type === 'final';
    if (type === 'history' || node.invoke.length > 0 || node.output !== undefined) throw new Unwalkable(`state ${node.id}`);
    if (isFinal && (parent?.parent !== null || node.exit.length > 0)) throw new Unwalkable(`final state ${node.id}`);
    const exit = this.#actions(node.exit);
    const state: WalkedState = {
      node,
      id: node.id,
      order: node.order,
      last: node.order,
      parent,
      states: [],
      isFinal,
      isBusy: parent?.isBusy === true || node.tags.includes('busy'),
      isParked: parent?.isParked === true || node.tags.includes('parked'),
      entry: this.#actions(node.entry),
      exit,
      leavesWithActions: exit.length > 0 || parent?.leavesWithActions === true,
      on: new Map(),
      always: null,
    };
    this.#byId.set(node.id, state);
    return state;
  }

  /** Notes which events and which changes of the context can concern the state. */
  *#index(state: WalkedState): Cooperative<void> {
    const { meta, transitions, always } = state.node;
    const named = typeof meta?.node === 'string' ? meta.node : null;
    if (named !== null) push(this.#byNode, named, state);
    for (const [type, list] of transitions) {
      if (type.includes('*') || type.startsWith('xstate.done.')) throw new Unwalkable(`event ${type}`);
      // Events about another node enable nothing here.
      if (named === null || !list.map(checked).every(({ guard }) => ADDRESSED.has(guard?.type) && guard?.params.node === named))
        push(this.#byType, type, state);
    }
    for (const [i, transition] of (always ?? NONE).entries()) {
      if (i % TRANSITIONS_PER_SLICE === TRANSITIONS_PER_SLICE - 1) yield;
      const { guard, target } = checked(transition);
      if (target === undefined) throw new Unwalkable('an eventless transition without a target');
      const { subgraph, node } = guard?.params ?? {};
      if (typeof subgraph !== 'string') continue;
      let watchers = this.#watchers.get(subgraph);
      if (watchers === undefined) {
        watchers = { ofSubgraph: [], ofNode: new Map() };
        this.#watchers.set(subgraph, watchers);
      }
      if (typeof node === 'string') push(watchers.ofNode, node, state);
      else watchers.ofSubgraph.push(state);
    }
  }

  #transitionsFor(state: WalkedState, type: string): readonly Transition[] {
    let known = state.on.get(type);
    if (known === undefined) {
      known = (state.node.transitions.get(type) ?? NONE).map((transition) => this.#transition(state, transition));
      state.on.set(type, known);
    }
    return known;
  }

  #alwaysOf(state: WalkedState): readonly Transition[] {
    state.always ??= (state.node.always ?? NONE).map((transition) => this.#transition(state, transition));
    return state.always;
  }

  #transition(source: WalkedState, transition: XStateTransition): Transition {
    const { guard, reenter, actions } = checked(transition);
    const to = transition.target?.[0];
    const target = to === undefined ? null : (this.#byId.get(to.id) ?? null);
    const domain = target === null ? null : domainOf(source, target, reenter);
    const entered = target === null || domain === null ? NONE : [...enteredBy(source, target, domain)].sort(inDocumentOrder);
    return {
      source,
      guard: guard === undefined ? null : this.#guard(guard.type),
      params: guard?.params,
      actions: this.#actions(actions),
      target,
      domain,
      entered,
      enteredLeaves: entered.filter(isLeaf),
    };
  }

  #guard(type: string): Guard {
    const guard: unknown = this.machine.implementations.guards[type];
    if (typeof guard !== 'function' || 'check' in guard) throw new TypeError(`no guard ${type}`);
    return guard as Guard;
  }

  #actions(actions: readonly unknown[]): readonly Action[] {
    return actions.length === 0 ? NONE : actions.map((action) => this.#action(action as XStateAction));
  }

  #action({ type, id, delay, sendId, params }: XStateAction): Action {
    // The timer of a state is set by a delayed `raise` when it is entered, and cleared by `cancel`.
    if (type === 'xstate.cancel' && sendId !== undefined) return ({ context }) => context.step.timers.clear(sendId);
    if (type === 'xstate.raise' && id !== undefined && delay !== undefined) {
      if (typeof delay === 'number') return ({ context }) => context.step.timers.set(id, delay);
      const delays = this.machine.implementations.delays as Record<string, (given: Given) => number>;
      const delayOf = delays[delay];
      if (delayOf === undefined) throw new Unwalkable(`delay ${delay}`);
      return (given) => given.context.step.timers.set(id, delayOf(given));
    }
    const run: unknown = this.machine.implementations.actions[type];
    if (typeof run !== 'function' || 'resolve' in run) throw new Unwalkable(`action ${type}`);
    return (given) => run(given, params);
  }
}

/** Actions of the config, and XState's own for timers, which are functions with these properties. */
interface XStateAction {
  readonly type: string;
  readonly params?: unknown;
  readonly id?: string;
  readonly delay?: number | string;
  readonly sendId?: string;
}

/** Guards that hold only for events about the node of their parameters. */
const ADDRESSED: ReadonlySet<unknown> = new Set(['at', 'retry', 'decided', 'childIs']);

interface CheckedTransition extends Omit<XStateTransition, 'guard'> {
  readonly guard: { readonly type: string; readonly params: Readonly<Record<string, unknown>> } | undefined;
}

/** The transition, if the walker can take it. */
function checked(transition: XStateTransition): CheckedTransition {
  const { guard, target } = transition;
  if (target !== undefined && target.length !== 1) throw new Unwalkable('a transition to several states');
  // New shape: once for each transition of a machine.
  if (guard === undefined) return { ...transition, guard };
  if (typeof guard !== 'object' || !('type' in guard)) throw new Unwalkable('a guard without a name');
  const { type, params = {} } = guard as { readonly type: string; readonly params?: Readonly<Record<string, unknown>> };
  // New shape: as above.
  return { ...transition, guard: { type, params } };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function firstEnabled(transitions: readonly Transition[], given: Given): Transition | undefined {
  for (const transition of transitions)
    if (transition.guard === null || transition.guard(given, transition.params)) return transition;
  return undefined;
}

/** Of transitions that would leave the same states, takes the first. In document order. */
function withoutConflicts(transitions: readonly Transition[]): Enabled {
  if (transitions.length <= 1) return { taken: transitions, preempted: NONE };
  const taken: Transition[] = [];
  const preempted: WalkedState[] = [];
  for (const one of transitions) {
    const { domain } = one;
    const conflicts = taken.some((other) => {
      if (domain === null || other.domain === null) return false;
      return domain === other.domain || isInside(domain, other.domain) || isInside(other.domain, domain);
    });
    if (conflicts) preempted.push(one.source);
    else taken.push(one);
  }
  return { taken, preempted };
}

function inDocumentOrder(a: State, b: State): number {
  return a.order - b.order;
}

function isLeaf({ states }: State): boolean {
  return states.length === 0;
}

function isInside(state: State, outer: State): boolean {
  return state.order > outer.order && state.order <= outer.last;
}

/** The innermost state around source and target; the source itself if it is not left. */
function domainOf(source: WalkedState, target: WalkedState, reenter: boolean): WalkedState {
  if (!reenter && (target === source || isInside(target, source))) return source;
  let domain = target.parent;
  while (domain !== null && !isInside(source, domain)) domain = domain.parent;
  // Only a transition of the root itself has no state around it.
  return domain ?? source;
}

/** What a transition enters inside its domain: its target, the states around it, and what is entered with them. */
function enteredBy(source: WalkedState, target: WalkedState, domain: WalkedState): Set<WalkedState> {
  const entered = new Set(inside(target));
  // A state that leads to itself without leaving itself.
  if (target === source && domain === source) return entered;
  entered.add(target);
  let child = target;
  for (let outer = target.parent; outer !== null; outer = outer.parent) {
    if (outer.node.type === 'parallel')
      for (const sibling of outer.states) {
        if (sibling === child) continue;
        entered.add(sibling);
        for (const state of inside(sibling)) entered.add(state);
      }
    if (outer === domain) break;
    entered.add(outer);
    child = outer;
  }
  return entered;
}

/** The states that are entered with a state, inside it. */
function inside(state: WalkedState): readonly WalkedState[] {
  if (state.node.type === 'parallel') return state.states.flatMap((child) => [child, ...inside(child)]);
  if (state.node.type !== 'compound') return NONE;
  const { key } = state.node.initial.target?.[0] ?? {};
  const first = state.states.find(({ node }) => node.key === key);
  return first === undefined ? NONE : [first, ...inside(first)];
}

/** Enters the states, which are in document order. */
function enter(states: readonly WalkedState[], given: Walk, concerned: WalkedState[]): void {
  for (const state of states) {
    for (const action of state.entry) action(given);
    concerned.push(state);
  }
}

function addWithAncestors(innermost: WalkedState, concerned: WalkedState[]): void {
  for (let state: WalkedState | null = innermost; state !== null; state = state.parent) concerned.push(state);
}

function innermostFirst(a: WalkedState, b: WalkedState): number {
  return b.order - a.order;
}

/** The states with exit actions among some leaves and the states around them inside `domain`, innermost first. */
function statesWithExits(leaves: readonly WalkedState[], domain: WalkedState | null): readonly WalkedState[] {
  if (!leaves.some(({ leavesWithActions }) => leavesWithActions)) return NONE;
  const found = new Set<WalkedState>();
  for (const leaf of leaves)
    for (let state: WalkedState | null = leaf; state !== null && state !== domain; state = state.parent)
      if (state.exit.length > 0) found.add(state);
  return [...found].sort(innermostFirst);
}

/** Is the machine in exactly one state of each alternative, and in all regions of each parallel state that it is in? */
function isComplete(configuration: Configuration, state: WalkedState): boolean {
  if (state.states.length === 0) return true;
  const entered = state.states.filter((child) => configuration.has(child));
  if (entered.length !== (state.node.type === 'parallel' ? state.states.length : 1)) return false;
  return entered.every((child) => isComplete(configuration, child));
}
