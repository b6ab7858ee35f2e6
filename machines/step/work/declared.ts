import { isStateValue } from '../../authored/state-value.ts';
import type { OperationKind } from '../../journal.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { OperationEntry } from '../../messages.ts';
import { type Kind, outputKeyOf } from '../../nodes/index.ts';
import type { FunctionScope } from '../../nodes/kind.ts';
import { shortened } from '../../shortened.ts';

// A worker is held to what the document says of its function.

/** Why the document does not let the function do this; null = it does. */
export function undeclared({ calls, machine }: FunctionScope, entry: OperationEntry): string | null {
  if (entry.type === 'begin' && entry.workflow !== undefined)
    return calls?.includes(entry.workflow) === true ? null : undeclaredCall(entry.workflow);
  if (entry.type === 'begin' && machine !== null && !OF_MACHINES.has(entry.kind))
    return `the function runs a state machine, which has no operations of kind ${entry.kind}`;
  if (entry.type !== 'transition') return null;
  if (machine === null) return 'a transition is one of a state machine, and the document has no `machine` for the function';
  // The document has no states of other machines.
  if (entry.actor !== undefined || isStateValue(machine, entry.value)) return null;
  return `the machine of the document has no state value ${shown(entry.value)}`;
}

/** What a state machine begins: promises and actions, delays, waits, invoked workflows. */
const OF_MACHINES: ReadonlySet<OperationKind> = new Set(['step', 'sleep', 'event', 'call']);

/** Where the state has the persisted snapshot of the machine that the function runs. */
export function persistedSnapshot(kind: Kind, state: JsonObject): JsonObject {
  const key = outputKeyOf(kind);
  const snapshot = key === null ? state : state[key];
  return isObject(snapshot) ? snapshot : {};
}

/** Why the machine cannot have this persisted snapshot; null = it can, as far as the document says. */
export function unknownSnapshot({ machine }: FunctionScope, { value }: JsonObject): string | null {
  if (machine === null || isStateValue(machine, value)) return null;
  return `the machine of the document has no state value ${shown(value)}, which the snapshot would have`;
}

export function undeclaredCall(workflow: string): string {
  return `the document does not say that the function calls workflow "${workflow}": add it to \`calls\` of the function, and register the workflow again`;
}

/** The value may be nested so deep that its JSON cannot be written. */
function shown(value: Json | undefined): string {
  if (typeof value === 'string') return `"${shortened(value, 100)}"`;
  if (!isObject(value)) return Array.isArray(value) ? 'of a list' : String(value);
  return `{${shortened(Object.keys(value).join(', '), 100)}}`;
}
