import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { Diagnostic } from '../diagnostics.ts';
import { type AuthoredMachine, isBuiltIn, logicKind } from './machine.ts';
import { placeOf } from './states.ts';

/** What a machine does that would not survive its process, or that is not there: each with its place in the machine. */
export function machineProblems({ machine, activities }: AuthoredMachine): readonly Diagnostic[] {
  const check = new Check(new Set(Object.keys(activities)));
  check.machine(machine, '');
  return check.finish();
}

class Check {
  readonly #activities: ReadonlySet<string>;
  /** Names of actors and actions that the machines have. */
  readonly #named = new Set<string>();
  readonly #problems: Diagnostic[] = [];
  readonly #seen = new Set<AnyStateMachine>();

  constructor(activities: ReadonlySet<string>) {
    this.#activities = activities;
  }

  finish(): readonly Diagnostic[] {
    for (const name of this.#activities)
      if (!this.#named.has(name))
        this.#add(
          'unknown_activity',
          `activities.${name}`,
          `the machine has neither an actor nor a custom action "${name}"`,
          this.#named.size === 0 ? null : `it has ${[...this.#named].map((known) => `"${known}"`).join(', ')}`,
        );
    return this.#problems;
  }

  /** `within`: the place of the machine in another one. */
  machine(machine: AnyStateMachine, within: string): void {
    if (this.#seen.has(machine)) return;
    this.#seen.add(machine);
    const { actions, actors } = machine.implementations as Implementations;
    for (const [name, action] of Object.entries(actions)) this.#namedAction(name, action, `${within}actions.${name}`);
    for (const [name, logic] of Object.entries(actors)) {
      this.#named.add(name);
      if (!this.#activities.has(name)) this.#logic(logic, `${within}actors.${name}`);
    }
    this.#node(machine.root, within);
  }

  #node(node: AnyStateNode, within: string): void {
    const at = (place: string): string => `${within}${node.path.map((key) => `states.${key}.`).join('')}${place}`;
    this.#actions(node, node.entry, at('entry'));
    this.#actions(node, node.exit, at('exit'));
    if (node.type === 'compound') this.#actions(node, node.initial?.actions ?? [], at('initial.actions'));
    for (const [descriptor, transitions] of node.transitions)
      for (const transition of transitions)
        this.#actions(node, transition.actions, at(`${written(descriptor, node.id)}.actions`));
    for (const transition of node.always ?? []) this.#actions(node, transition.actions, at('always.actions'));
    for (const [index, { src, id }] of node.invoke.entries()) this.#invoke(node, src, id, at(`invoke[${index}]`));
    for (const child of Object.values(node.states)) this.#node(child, within);
  }

  #invoke(node: AnyStateNode, src: unknown, id: string, place: string): void {
    const inline = inlineLogic(node, id);
    if (inline !== null) this.#logic(inline, `${place}.src`);
    else this.#actor(node.machine, src, `${place}.src`);
  }

  /** An actor by its name. */
  #actor({ implementations }: AnyStateMachine, src: unknown, place: string): void {
    if (typeof src !== 'string')
      this.#add(
        'inline_actor',
        place,
        'an actor that is spawned without a name cannot be stored with the snapshot',
        'name it: setup({ actors: { name: logic } }), and spawn it by its name',
      );
    else {
      this.#named.add(src);
      if (Object.hasOwn((implementations as Implementations).actors, src) || this.#activities.has(src)) return;
      this.#add(
        'unknown_actor',
        place,
        `nothing carries out the actor "${src}"`,
        `give it in setup({ actors: { ${src} } }), or in activities`,
      );
    }
  }

  #logic(logic: unknown, place: string): void {
    const kind = logicKind(logic);
    if (kind === 'machine') this.machine(logic as AnyStateMachine, `${place} `);
    else if (kind === 'other')
      this.#add(
        'actor_without_result',
        place,
        'an actor of fromCallback, fromObservable or a logic of its own lives in one process: what it has sent cannot be given again after a crash',
        'use fromPromise, a machine or fromTransition; send events from outside to the execution; or let an activity of this name carry it out',
      );
  }

  #actions(node: AnyStateNode, actions: readonly unknown[], place: string): void {
    for (const [index, action] of actions.entries()) this.#action(node, action, `${place}[${index}]`);
  }

  #action(node: AnyStateNode, action: unknown, place: string): void {
    if (typeof action === 'function') {
      if (!isBuiltIn(action))
        this.#add(
          'unnamed_action',
          place,
          'a custom action without a name cannot be logged, so that it would run again whenever the machine is rebuilt',
          "name it: setup({ actions: { name: () => … } }), and use 'name' here; use assign() for what only changes the context",
        );
      else if ('type' in action && action.type === 'xstate.spawnChild' && 'src' in action)
        this.#actor(node.machine, action.src, `${place}.src`);
      return;
    }
    const name = typeof action === 'string' ? action : (action as { readonly type: string }).type;
    const { actions } = node.machine.implementations as Implementations;
    if (Object.hasOwn(actions, name)) return;
    this.#named.add(name);
    if (!this.#activities.has(name))
      this.#add(
        'unknown_action',
        place,
        `nothing carries out the action "${name}"`,
        `give it in setup({ actions: { ${name} } }), or in activities`,
      );
  }

  #namedAction(name: string, action: unknown, place: string): void {
    if (!isBuiltIn(action)) this.#named.add(name);
    else if (typeof action === 'function' && 'src' in action && typeof action.src !== 'string')
      this.#add(
        'inline_actor',
        place,
        'an actor that is spawned without a name cannot be stored with the snapshot',
        'name it in setup({ actors })',
      );
  }

  #add(code: string, path: string, problem: string, hint: string | null): void {
    this.#problems.push({ severity: 'error', code, node_id: null, path, message: `${path}: ${problem}`, hint });
  }
}

interface Implementations {
  readonly actions: Readonly<Record<string, unknown>>;
  readonly actors: Readonly<Record<string, unknown>>;
}

/** The key under which an author has written the transitions of a descriptor. */
function written(descriptor: string, nodeId: string): string {
  const { key, name } = placeOf(descriptor, nodeId);
  if (key === 'on' || key === 'after') return `${key}.${name}`;
  return name === '' ? key : `invoke.${key}`;
}

/** The logic that an `invoke` has in place of a name; null = it has a name. */
function inlineLogic(node: AnyStateNode, id: string): unknown {
  const invokes: readonly { readonly src: unknown }[] = [node.config.invoke ?? []].flat();
  const index = node.invoke.findIndex((one) => one.id === id);
  const src = invokes[index]?.src;
  return typeof src === 'string' || src === undefined ? null : src;
}
