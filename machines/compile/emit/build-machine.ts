import { type AnyStateMachine, type AnyStateNode, createMachine, StateNode } from 'xstate';
import type { Cooperative } from '../../cooperative.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';

/** State nodes made between two pauses. */
const STATES_PER_SLICE = 20;
/** Of the transitions that a state takes by itself: a condition may have thousands of branches. */
const TRANSITIONS_PER_SLICE = 200;

/** The parts of a config that are not JSON. */
interface NonJsonConfig {
  readonly context: unknown;
  readonly options: { readonly maxIterations: number };
}

type Config = Parameters<typeof createMachine>[0];
type Implementations = Parameters<typeof createMachine>[1];

/**
 * `createMachine` as a cooperative computation: it takes hundreds of milliseconds for thousands of states. Does the work of XState's constructors in the
 * same order; a test compares the two.
 */
export function* buildMachine(
  config: JsonObject,
  runtime: NonJsonConfig,
  implementations: unknown,
): Cooperative<AnyStateMachine> {
  const whole = { ...config, ...runtime };
  // XState's types expect the config as a literal; ours is generated.
  const bare = { ...whole, type: 'compound', states: {}, on: {} } as unknown as Config;
  const machine = createMachine(bare, implementations as Implementations) as AnyStateMachine;
  const nodes: AnyStateNode[] = [];
  const { root } = machine;
  yield* addStates(root, config.states, machine, nodes);
  machine.config = whole as unknown as typeof machine.config;
  root.config = machine.config;
  machine.states = root.states;
  for (const [i, node] of [root, ...nodes].entries()) {
    yield* initialise(node);
    if (i % STATES_PER_SLICE === 0) yield;
  }
  return machine;
}

/** Adds outer states before inner ones, in the order of the config: XState orders states that way. */
function* addStates(
  parent: AnyStateNode,
  states: Json | undefined,
  machine: AnyStateMachine,
  nodes: AnyStateNode[],
): Cooperative<void> {
  for (const [key, config] of isObject(states) ? Object.entries(states) : []) {
    if (!isObject(config)) throw new TypeError(`state ${key} is not an object`);
    const inner = isObject(config.states) ? config.states : null;
    const type = config.type ?? (inner === null ? 'atomic' : 'compound');
    const own = inner === null ? config : { ...config, type, states: {} };
    const node = new StateNode(own as never, { _parent: parent, _key: key, _machine: machine } as never) as AnyStateNode;
    node.config = config as unknown as typeof node.config;
    parent.states[key] = node;
    nodes.push(node);
    if (nodes.length % STATES_PER_SLICE === 0) yield;
    if (inner !== null) yield* addStates(node, inner, machine, nodes);
  }
}

/** Creates the transitions of one state without those of its inner states. Targets are ids, so inner states need not exist yet. */
function* initialise(node: AnyStateNode): Cooperative<void> {
  const { states, config } = node;
  const always: readonly unknown[] = Array.isArray(config.always) ? config.always : [];
  node.states = {};
  try {
    if (always.length <= TRANSITIONS_PER_SLICE) initialiseNow(node);
    else {
      const made: NonNullable<typeof node.always> = [];
      for (let at = 0; at < always.length; at += TRANSITIONS_PER_SLICE) {
        node.config = { ...config, always: always.slice(at, at + TRANSITIONS_PER_SLICE) } as typeof node.config;
        initialiseNow(node);
        made.push(...(node.always ?? []));
        yield;
      }
      node.always = made;
    }
  } finally {
    node.states = states;
    node.config = config;
  }
}

function initialiseNow(node: AnyStateNode): void {
  // A public method that XState's types do not declare.
  (node as unknown as { _initialize(): void })._initialize();
}
