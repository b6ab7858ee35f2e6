import type { Path } from '../appended-lists.ts';
import type { Workflow } from '../ir/workflow.ts';
import { isObject, type Json } from '../json.ts';
import { definitionOf, type Kind, outputFieldsOf, outputKeyOf } from '../nodes/index.ts';
import { type BudgetAction, COST_EXCEEDED } from './budget-action.ts';

/** A key of the state that the runtime keeps for itself. */
interface InternalKey {
  /** The nodes whose results write it. */
  readonly writers: Set<string>;
  /** Lists of objects in it that an input may begin with. */
  readonly given: readonly string[];
}

/**
 * The state keys of a workflow that only the results of certain nodes write: conversations of agents, what models have said, plans of strategies. All
 * else by which a state changes (inputs, events, decisions, forks, results of other work) leaves them as they are. A node for whose result the document
 * names such a key, as `output_key`, may write it as well.
 */
export type InternalState = ReadonlyMap<string, InternalKey>;

export function internalStateOf({ nodes, strategy }: Workflow, budgetAction: BudgetAction): InternalState {
  const keys = new Map<string, InternalKey>();
  const declare = (key: string, writer: string | null, given: readonly string[] = []): void => {
    const known = keys.get(key) ?? { writers: new Set(), given };
    keys.set(key, known);
    if (writer !== null) known.writers.add(writer);
  };
  for (const { id, kind, labels } of nodes) {
    for (const [key, given] of Object.entries(definitionOf(kind).internalState(kind))) declare(key, id, given);
    const answer = strategy !== null && isIntermediate(labels) ? outputKeyOf(kind) : null;
    if (answer !== null) declare(answer, id);
  }
  if (budgetAction === 'guard') declare(COST_EXCEEDED, null);
  if (keys.size > 0) for (const { id, kind } of nodes) for (const key of namedKeysOf(kind)) keys.get(key)?.writers.add(id);
  return keys;
}

/** The state keys that a document names for a node's result. */
export function namedKeysOf(kind: Kind): readonly string[] {
  const outputKey = outputKeyOf(kind);
  const mapping = definitionOf(kind).outputMapping(kind);
  const fields = (outputFieldsOf(kind) ?? []).map(([, key]) => key);
  return [...(outputKey === null ? [] : [outputKey]), ...fields, ...(isObject(mapping) ? Object.keys(mapping) : [])];
}

/** Does the node of a strategy give what later ones go by, and not the result? */
function isIntermediate(labels: Readonly<Record<string, string>>): boolean {
  return labels['jamjet.strategy.node'] !== undefined && labels['jamjet.strategy.event'] !== 'strategy_completed';
}

/** What the state takes of a patch. `writer`: the node whose result it is; null = a caller gives it. `ignored` receives the keys that are left out. */
export function admittedPatch(internal: InternalState, patch: Json, writer: string | null, ignored: Set<string>): Json {
  if (!isObject(patch) || !hasAny(patch, internal.keys())) return patch;
  let admitted: Record<string, Json> | null = null;
  for (const key of Object.keys(patch)) {
    const known = internal.get(key);
    if (known === undefined || (writer !== null && known.writers.has(writer))) continue;
    admitted ??= { ...patch };
    delete admitted[key];
    ignored.add(key);
  }
  return admitted ?? patch;
}

function hasAny(patch: object, keys: Iterable<string>): boolean {
  for (const key of keys) if (Object.hasOwn(patch, key)) return true;
  return false;
}

/** What an execution takes of its input: of a conversation, its messages. */
export function admittedInput(internal: InternalState, input: Json, ignored: Set<string>): Json {
  const admitted = admittedPatch(internal, input, null, ignored);
  if (admitted === input || !isObject(input)) return admitted;
  const parts = [...internal].flatMap(([key, { given }]): [string, Json][] => {
    const whole = Object.hasOwn(input, key) ? input[key] : undefined;
    if (!isObject(whole)) return [];
    const kept = given.filter((part) => Object.hasOwn(whole, part) && isListOfObjects(whole[part]));
    if (kept.length === 0) return [];
    if (kept.length === Object.keys(whole).length) ignored.delete(key);
    return [[key, Object.fromEntries(kept.map((part) => [part, whole[part] ?? null]))]];
  });
  return { ...(admitted as Record<string, Json>), ...Object.fromEntries(parts) };
}

function isListOfObjects(value: Json | undefined): boolean {
  return Array.isArray(value) && value.every(isObject);
}

/** Is the part of the state at that place a list of messages of a conversation? */
export function isConversation(internal: InternalState, [key = '', part = '']: Path): boolean {
  return internal.get(key)?.given.includes(part) === true;
}
