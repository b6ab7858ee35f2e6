import { didYouMean } from '../../machines/suggest.ts';
import { MapReader, readItem } from './map-reader.ts';
import { type Route, readRoute, type TargetResolver } from './targets.ts';
import { isSeq } from './tree.ts';

const WANTED = '{from: <node>, to: <node>} with an optional "when"';

/** The routes of `edges:` at the top of a file, by the node that they leave. */
export function readEdgeList(
  top: MapReader,
  ids: ReadonlySet<string>,
  targets: TargetResolver,
): ReadonlyMap<string, readonly Route[]> {
  const routes = new Map<string, Route[]>();
  const field = top.find('edges');
  if (field === null) return routes;
  if (!isSeq(field.value)) {
    top.wrongType(field, 'a list of edges');
    return routes;
  }
  for (const [i, item] of field.value.items.entries()) {
    const edge = readItem(item, `edge ${i + 1}`, top, WANTED);
    if (!(edge instanceof MapReader)) {
      if (edge !== null) top.error('wrong_type', `edge ${i + 1} must be ${WANTED}, not "${edge.value}"`, edge.offset);
      continue;
    }
    const from = edge.text('from');
    if (from === null) edge.error('missing_key', `${edge.name} comes from nowhere`, edge.offset, 'write "from: <node>"');
    else if (!ids.has(from.value)) {
      const message = `${edge.name} leaves "${from.value}", which does not exist`;
      edge.error('unknown_source', message, from.offset, didYouMean(from.value, ids));
    }
    const route = readRoute(edge, targets);
    if (from !== null && route !== null) routes.set(from.value, [...(routes.get(from.value) ?? []), route]);
  }
  return routes;
}
