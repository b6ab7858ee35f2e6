import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Json, JsonObject } from '../json.ts';
import { isBuiltIn } from './machine.ts';

/** Of the state that is the machine itself. */
const ROOT = '';

/**
 * The states of a machine as a config that XState and Stately read, plain JSON: every state has an id, its path, and targets are ids. Guards, actions and
 * actors are named; those without a name are left out.
 */
export function machineStates(machine: AnyStateMachine): JsonObject {
  return { ...stateConfig(machine.root), id: machine.id };
}

function stateConfig(node: AnyStateNode): JsonObject {
  const [initial] = node.type === 'compound' ? (node.initial?.target ?? []) : [];
  const states = Object.values(node.states) as AnyStateNode[];
  const on = new Map<string, JsonObject[]>();
  const after = new Map<string, JsonObject[]>();
  const [done, invokes]: [JsonObject[], JsonObject[]] = [[], node.invoke.map(({ id, src }) => invokeConfig(id, src))];
  for (const [descriptor, transitions] of node.transitions) {
    const list = transitions.map(transitionConfig);
    const place = placeOf(descriptor, node.id);
    if (place.key === 'on') on.set(place.name, list);
    else if (place.key === 'after') after.set(place.name, list);
    else if (place.key === 'onDone' && place.name === '') done.push(...list);
    else {
      const invoke = invokes.find(({ id }) => id === place.name);
      if (invoke !== undefined) Object.assign(invoke, { [place.key]: list });
    }
  }
  return {
    id: idOf(node),
    ...(node.type === 'atomic' || node.type === 'compound' ? {} : { type: node.type }),
    ...(node.type === 'history' ? { history: node.history as Json } : {}),
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(node.tags.length === 0 ? {} : { tags: node.tags }),
    ...(initial === undefined ? {} : { initial: initial.key }),
    ...listed('entry', node.entry.flatMap(actionName)),
    ...listed('exit', node.exit.flatMap(actionName)),
    ...listed('invoke', invokes),
    ...(on.size === 0 ? {} : { on: Object.fromEntries(on) }),
    ...(after.size === 0 ? {} : { after: Object.fromEntries(after) }),
    ...listed('always', (node.always ?? []).map(transitionConfig)),
    ...listed('onDone', done),
    ...(states.length === 0 ? {} : { states: Object.fromEntries(states.map((state) => [state.key, stateConfig(state)])) }),
  };
}

function listed(key: string, list: readonly Json[]): JsonObject {
  return list.length === 0 ? {} : { [key]: list };
}

function idOf(node: AnyStateNode): string {
  return node.path.length === 0 ? ROOT : node.path.join('.');
}

function transitionConfig({ target = [], guard, actions, reenter }: AnyTransitionDefinition): JsonObject {
  const named = nameOf(guard);
  return {
    ...listed(
      'target',
      target.map((state) => `#${idOf(state)}`),
    ),
    ...(guard === undefined ? {} : { guard: named ?? 'guard' }),
    ...listed('actions', actions.flatMap(actionName)),
    ...(reenter ? { reenter } : {}),
  };
}

function invokeConfig(id: string, src: unknown): JsonObject {
  // Actors without a name have a generated one.
  return typeof src === 'string' && !src.startsWith('xstate.invoke.') ? { id, src } : { id };
}

/** What XState carries out itself, such as `assign`, is not named. */
function actionName(action: unknown): readonly string[] {
  const name = isBuiltIn(action) ? null : nameOf(action);
  return name === null || name.startsWith('xstate.') ? [] : [name];
}

function nameOf(named: unknown): string | null {
  if (typeof named === 'string') return named;
  if (typeof named !== 'object' || named === null || !('type' in named)) return null;
  return typeof named.type === 'string' ? named.type : null;
}

interface Place {
  readonly key: 'on' | 'after' | 'onDone' | 'onError' | 'onSnapshot';
  /** The event, the delay, or the id of an invoked actor; '' = the state itself. */
  readonly name: string;
}

const OF_ACTORS = { 'xstate.done.actor.': 'onDone', 'xstate.error.actor.': 'onError', 'xstate.snapshot.': 'onSnapshot' } as const;

/** Where an author has written the transitions of a descriptor, in the state with this id. */
export function placeOf(descriptor: string, stateId: string): Place {
  if (descriptor.startsWith('xstate.done.state.')) return { key: 'onDone', name: '' };
  if (descriptor.startsWith('xstate.after.'))
    return { key: 'after', name: descriptor.slice('xstate.after.'.length, -stateId.length - 1) };
  for (const [prefix, key] of Object.entries(OF_ACTORS))
    if (descriptor.startsWith(prefix)) return { key, name: descriptor.slice(prefix.length) };
  return { key: 'on', name: descriptor };
}
