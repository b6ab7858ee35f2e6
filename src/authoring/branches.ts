import { itemOf } from './map-reader.ts';
import { type NodeReader, recordKindKey } from './node-reader.ts';
import { type Route, recordRoute, routeOf } from './targets.ts';

/** A list of routes with conditions, and `default`. */
export function readChoices(reading: NodeReader, key: string, spellings: readonly string[]): void {
  const { section, id, kind, targets } = reading;
  const routes: Route[] = routesIn(reading, key, spellings, '{if: <condition>, next: <node>}');
  const otherwise = section.text('default', 'else');
  if (otherwise !== null) routes.push({ to: { value: targets.resolve(otherwise.value), at: otherwise.at }, condition: null });
  const [, second] = routes.filter(({ condition }) => condition === null);
  if (second !== undefined) {
    section.error(
      'two_defaults',
      `node "${id}" has two branches without a condition`,
      second.to.at,
      'only one can be taken when nothing else matches',
    );
  }
  if (routes.length === 0) return;
  kind[key] = routes.map(({ to, condition }, index) => {
    recordRoute(reading.places, `nodes.${id}.kind.${key}.${index}`, 'target', { to, condition });
    return { condition: condition?.value ?? null, target: to.value };
  });
  const next = section.find('next');
  if (next !== null) {
    section.warning(
      'next_ignored',
      `node "${id}" leads to its branches; its "next" is ignored`,
      next.keyOffset,
      'write "default: <node>" for what comes when no branch matches',
    );
  }
}

/** A list of nodes that are started together. */
export function readStarts(reading: NodeReader, key: string, spellings: readonly string[]): void {
  const { section, id, kind } = reading;
  const routes = routesIn(reading, key, spellings, 'the id of a node');
  for (const { condition } of routes) {
    if (condition === null) continue;
    section.warning(
      'condition_ignored',
      `node "${id}" takes all its branches: this condition is ignored`,
      condition.at,
      'choose with a condition node',
    );
  }
  kind[key] = routes.map(({ to }, index) => {
    reading.places.record(`nodes.${id}.kind.${key}.${index}`, to.at);
    return to.value;
  });
  const next = section.find('next');
  if (routes.length > 0 && next !== null) {
    const hint = section.has('join')
      ? 'what comes after the branches is named by "join"'
      : 'to go on after the branches, write "join" instead of "next"';
    section.warning(
      'next_beside_branches',
      `"next" of the parallel node "${id}" begins together with its branches`,
      next.keyOffset,
      hint,
    );
  }
}

/** A list of nodes to wait for. */
export function readSources(reading: NodeReader, key: string, spellings: readonly string[]): void {
  const { section, id, kind, targets } = reading;
  const routes = routesIn(reading, key, spellings, 'the id of a node');
  for (const { to } of routes) {
    if (targets.isEnd(to.value)) section.error('waits_for_end', `node "${id}" cannot wait for the end`, to.at);
  }
  kind[key] = routes.map(({ to }, index) => {
    reading.places.record(`nodes.${id}.kind.${key}.${index}`, to.at);
    return to.value;
  });
}

/** The routes listed under a key; what is not one is noted and left out. */
function routesIn(reading: NodeReader, key: string, spellings: readonly string[], wanted: string): Route[] {
  const { section, id, targets } = reading;
  const items = section.list(...spellings)?.value ?? [];
  const list = section.find(...spellings);
  if (list !== null) recordKindKey(reading, key, list.keyOffset);
  return items.flatMap((item, index) => {
    const read = itemOf(item, `"${list?.key ?? key}" ${index + 1} of node "${id}"`, section, wanted);
    const route = read === null ? null : routeOf(read, targets);
    return route === null ? [] : [route];
  });
}
