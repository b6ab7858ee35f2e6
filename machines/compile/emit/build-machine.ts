import { type AnyStateMachine, type AnyStateNode, createMachine, StateNode } from 'xstate';
import type { Cooperative } from '../../cooperative.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';

/** States of XState made between two pauses. */
const STATES_PER_SLICE = 20;

/** What of a config is no JSON. */
interface NonJsonConfig {
  readonly context: unknown;
  readonly options: { readonly maxIterations: number };
}

type Config = Parameters<typeof createMachine>[0];
type Implementations = Parameters<typeof createMachine>[1];

/**
 * The machine that `createMachine` makes of a config, made state by state: of thousands of states that takes hundreds of milliseconds. Does what
 * XState's constructors do, in the same order; a test holds the two against each other.
 */
export function* buildMachine(
  config: JsonObject,
  runtime: NonJsonConfig,
  implementations: unknown,
): Cooperative<AnyStateMachine> {
  const whole = { ...config, ...runtime };
  // The config is our own JSON over our own vocabulary; XState's types would want it as a literal.
  const bare = { ...whole, type: 'compound', states: {}, on: {} } as unknown as Config;
  const machine = createMachine(bare, implementations as Implementations) as AnyStateMachine;
  const nodes: AnyStateNode[] = [];
  const { root } = machine;
  yield* addStates(root, config.states, machine, nodes);
  machine.config = whole as unknown as typeof machine.config;
  root.config = machine.config;
  machine.states = root.states;
  for (const [i, node] of [root, ...nodes].entries()) {
    initialise(node);
    if (i % STATES_PER_SLICE === 0) yield;
  }
  return machine;
}

/** Outer states before inner ones, as they are written: that is their order. */
function* addStates(
  parent: AnyStateNode,
  states: Json | undefined,
  machine: AnyStateMachine,
  nodes: AnyStateNode[],
): Cooperative<void> {
  for (const [key, config] of isObject(states) ? Object.entries(states) : []) {
    if (!isObject(config)) throw new TypeError(`state ${key} is no object`);
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

/** Makes the transitions of one state; XState would go on with those inside. Targets are named by id, never by their place. */
function initialise(node: AnyStateNode): void {
  const { states } = node;
  node.states = {};
  try {
    // Public, but not in the types.
    (node as unknown as { _initialize(): void })._initialize();
  } finally {
    node.states = states;
  }
}
