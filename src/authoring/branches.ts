import { readItem } from './map-reader.ts';
import { type NodeReading, recordKindKey } from './node-reader.ts';
import { type Route, readRoute, recordRoute } from './targets.ts';

/** A list of routes with conditions, and `default`. */
export function readChoices(reading: NodeReading, key: string, spellings: readonly string[]): void {
  const { reader, id, kind, targets } = reading;
  const routes: Route[] = readRoutes(reading, key, spellings, '{if: <condition>, next: <node>}');
  const otherwise = reader.text('default', 'else');
  if (otherwise !== null)
    routes.push({ to: { value: targets.resolve(otherwise.value), offset: otherwise.offset }, condition: null });
  const [, second] = routes.filter(({ condition }) => condition === null);
  if (second !== undefined) {
    reader.error(
      'two_defaults',
      `node "${id}" has two branches without a condition`,
      second.to.offset,
      'only one branch can be the default',
    );
  }
  if (routes.length === 0) return;
  kind[key] = routes.map(({ to, condition }, index) => {
    recordRoute(reading.sourceMap, `nodes.${id}.kind.${key}.${index}`, 'target', { to, condition });
    return { condition: condition?.value ?? null, target: to.value };
  });
  const next = reader.find('next');
  if (next !== null) {
    reader.warning(
      'next_ignored',
      `node "${id}" leads to its branches; its "next" is ignored`,
      next.keyOffset,
      'write "default: <node>" for the branch that is taken when no other matches',
    );
  }
}

/** A list of nodes that are started together. */
export function readStarts(reading: NodeReading, key: string, spellings: readonly string[]): void {
  const { reader, id, kind } = reading;
  const routes = readRoutes(reading, key, spellings, 'the id of a node');
  for (const { condition } of routes) {
    if (condition === null) continue;
    reader.warning(
      'condition_ignored',
      `node "${id}" starts all its branches: this condition is ignored`,
      condition.offset,
      'choose with a condition node',
    );
  }
  kind[key] = routes.map(({ to }, index) => {
    reading.sourceMap.record(`nodes.${id}.kind.${key}.${index}`, to.offset);
    return to.value;
  });
  const next = reader.find('next');
  if (routes.length > 0 && next !== null) {
    const hint = reader.has('join')
      ? '"join" names the node after the branches'
      : 'to continue after the branches, write "join" instead of "next"';
    reader.warning(
      'next_beside_branches',
      `"next" of the parallel node "${id}" starts together with its branches`,
      next.keyOffset,
      hint,
    );
  }
}

/** A list of nodes to wait for. */
export function readSources(reading: NodeReading, key: string, spellings: readonly string[]): void {
  const { reader, id, kind, targets } = reading;
  const routes = readRoutes(reading, key, spellings, 'the id of a node');
  for (const { to } of routes) {
    if (targets.isEnd(to.value)) reader.error('waits_for_end', `node "${id}" cannot wait for the end`, to.offset);
  }
  kind[key] = routes.map(({ to }, index) => {
    reading.sourceMap.record(`nodes.${id}.kind.${key}.${index}`, to.offset);
    return to.value;
  });
}

/** The routes listed under a key. An item that is no route is noted and left out. */
function readRoutes(reading: NodeReading, key: string, spellings: readonly string[], wanted: string): Route[] {
  const { reader, id, targets } = reading;
  const items = reader.list(...spellings)?.value ?? [];
  const list = reader.find(...spellings);
  if (list !== null) recordKindKey(reading, key, list.keyOffset);
  return items.flatMap((item, index) => {
    const read = readItem(item, `"${list?.key ?? key}" ${index + 1} of node "${id}"`, reader, wanted);
    const route = read === null ? null : readRoute(read, targets);
    return route === null ? [] : [route];
  });
}
