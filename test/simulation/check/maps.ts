import { appendedIn } from '../../../machines/appended-lists.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { canonicalJson, isObject, type Json } from '../../../machines/json.ts';
import type { MapKind } from '../../../machines/nodes/map.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';

/** A visit to a node that works on a list. */
interface List {
  readonly count: number;
  /** What of each item has succeeded, by its index. */
  readonly outputs: Map<number, Json>;
  readonly failed: Map<number, Json>;
  readonly open: Set<number>;
  completed: boolean;
}

/**
 * Checks the lists of a log by the rules that the documents state: no more items are at work than allowed, one that has succeeded does not begin
 * again, the counts are those of the items, the node fails when more have failed than are tolerated, and its output has the results in order.
 */
export function checkMaps(log: readonly TimedEvent[], { nodes }: Workflow): readonly string[] {
  const problems: string[] = [];
  const kinds = new Map(nodes.flatMap(({ id, kind }) => (kind.type === 'map' ? [[id, kind as MapKind] as const] : [])));
  const lists = new Map<string, List>();
  // By node: its last visit, whose results a retry keeps in the next one.
  const last = new Map<string, List>();
  for (const { sequence, type, node_id, data } of log) {
    const kind = kinds.get(node_id ?? '');
    if (kind === undefined || data.activation === 0) continue;
    const name = `${node_id}:${data.activation}`;
    const problem = (text: string): void => void problems.push(`${sequence} ${type} ${name}: ${text}`);
    const before = lists.get(name);
    if (type === 'map_started') {
      const kept = Number(data.kept ?? 0);
      const outputs = before?.outputs ?? new Map((kept > 0 && last.get(node_id ?? '')?.outputs) || []);
      if (kept !== outputs.size) problem(`${kept} results are kept, and ${outputs.size} items have succeeded`);
      const list = { count: Number(data.count), outputs, failed: new Map(), open: new Set<number>(), completed: false };
      lists.set(name, list);
      last.set(node_id ?? '', list);
      continue;
    }
    if (before === undefined) continue;
    if (typeof data.item === 'number') itemEvent(before, kind, type, data.item, data, problem);
    else if (type === 'map_completed') endOfList(before, data, problem);
    // Of lists in an earlier output, the log has only what was added.
    else if (type === 'node_completed' && appendedIn(data) === null) endOfNode(before, kind, data.output ?? null, problem);
    else if (type === 'node_failed' && before.completed && data.error_class === undefined) {
      const tooMany = before.failed.size > toleratedBy(kind, before.count);
      if (!tooMany && kind.strategy !== 'first') problem(`${before.failed.size} items failed, as many as may`);
    }
  }
  return problems;
}

function itemEvent(
  list: List,
  { max_concurrency = 16 }: MapKind,
  type: string,
  item: number,
  data: TimedEvent['data'],
  problem: (text: string) => void,
): void {
  const { open, outputs, failed, count } = list;
  if (item >= count) problem(`item ${item} of ${count}`);
  switch (type) {
    case 'node_scheduled':
    case 'tool_approval_required':
      if (outputs.has(item)) problem(`item ${item} has succeeded before`);
      if (list.completed) problem(`item ${item} begins after the end of the list`);
      open.add(item);
      if (open.size > max_concurrency) problem(`${open.size} items are at work, of at most ${max_concurrency}`);
      break;
    case 'node_completed':
      if (outputs.has(item)) problem(`item ${item} has succeeded before`);
      outputs.set(item, data.output ?? null);
      open.delete(item);
      break;
    case 'node_failed':
      if (data.retryable === true) break;
      failed.set(item, data.error ?? null);
      open.delete(item);
      break;
    case 'node_cancelled':
      open.delete(item);
  }
}

function endOfList(list: List, data: TimedEvent['data'], problem: (text: string) => void): void {
  const { outputs, failed, open, count } = list;
  const cancelled = count - outputs.size - failed.size;
  const { succeeded, failed: failures, cancelled: left = 0 } = data;
  if (succeeded !== outputs.size || failures !== failed.size || left !== cancelled)
    problem(`it says ${succeeded}, ${failures}, ${left}, and ${outputs.size}, ${failed.size}, ${cancelled} is right`);
  if (open.size > 0) problem(`items ${[...open].join(', ')} are at work`);
  list.completed = true;
}

function endOfNode(list: List, kind: MapKind, output: Json, problem: (text: string) => void): void {
  const { outputs, failed, count } = list;
  if (!list.completed) problem('its list has not ended');
  if (kind.strategy === 'first') {
    const isOne = count === 0 ? output === null : [...outputs.values()].some((one) => isEqual(one, output));
    if (!isOne) problem('its output is the result of no item');
    return;
  }
  if (failed.size > toleratedBy(kind, count)) problem(`it completes, and ${failed.size} of ${count} items have failed`);
  const wanted = Array.from({ length: count }, (_, i) => outputs.get(i) ?? { error: failed.get(i) ?? null });
  if (!isEqual(wanted, output)) problem(`its output is ${JSON.stringify(output)}, and its items gave ${JSON.stringify(wanted)}`);
}

/** How many items may fail. */
function toleratedBy({ on_item_error: given = 'fail', strategy }: MapKind, count: number): number {
  if (strategy === 'first' || given === 'collect') return count;
  return isObject(given) ? Number(given.tolerate) : 0;
}

function isEqual(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
