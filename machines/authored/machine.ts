import type { AnyStateMachine } from 'xstate';

/**
 * Marks a function that stands for a state machine of an author; its value is an `AuthoredMachine`. It is a registered symbol, so that another copy of
 * this package recognises the function.
 */
export const MACHINE: unique symbol = Symbol.for('jamjet-runtime.machine') as never;

/** A machine of an author, and what does the work that it names. */
export interface AuthoredMachine<Activity = unknown> {
  readonly machine: AnyStateMachine;
  /** By the names of actors and actions. */
  readonly activities: Readonly<Record<string, Activity>>;
}

/** The machine that a function stands for; null = it is an ordinary function. */
export function authoredMachineOf<Activity>(code: unknown): AuthoredMachine<Activity> | null {
  return typeof code === 'function' && MACHINE in code ? (code[MACHINE] as AuthoredMachine<Activity>) : null;
}

/** What carries out an invoked or spawned actor: a machine, a function of events, code that runs on its own. */
export type LogicKind = 'machine' | 'transition' | 'promise' | 'other';

/** XState does not name the kinds of its logics, so this one is recognised by what it does with the result of a promise. */
export function logicKind(logic: unknown): LogicKind {
  if (typeof logic !== 'object' || logic === null) return 'other';
  if (isMachine(logic)) return 'machine';
  const { start, transition } = logic as { readonly start?: unknown; readonly transition?: unknown };
  if (typeof transition !== 'function') return 'other';
  if (typeof start !== 'function') return 'transition';
  return resolvesWith(transition as Transition) ? 'promise' : 'other';
}

type Transition = (snapshot: object, event: object, scope: object) => unknown;

function resolvesWith(transition: Transition): boolean {
  const active = { status: 'active', output: undefined, error: undefined, input: undefined };
  try {
    const after = transition(active, { type: 'xstate.promise.resolve', data: active }, { self: {}, system: {} });
    return typeof after === 'object' && after !== null && 'output' in after && after.output === active;
  } catch {
    // Logic of another kind reads what only a running actor has.
    return false;
  }
}

/** An XState 5 machine, of whichever copy of XState. */
export function isMachine(value: unknown): value is AnyStateMachine {
  return typeof value === 'object' && value !== null && '__xstatenode' in value && 'implementations' in value && 'root' in value;
}

/** Does XState resolve the action itself, such as `assign`, without side effects? */
export function isBuiltIn(action: unknown): boolean {
  return typeof action === 'function' && 'resolve' in action;
}
