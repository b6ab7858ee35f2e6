import { isObject, type Json } from '../../machines/json.ts';
import { type LoggedEvent, trajectoryOf } from './trajectory.ts';

type Found =
  | { readonly found: readonly string[] }
  | { readonly found: null; readonly problem: 'no_row' | 'unknown_row' | 'unknown_form' };

/** The tools in a document: events of an execution, results of a run, or a list of names. */
export function toolsIn(document: unknown, rowId: string | null): Found {
  const inside = isObject(document) && Array.isArray(document.events) ? document.events : document;
  if (!Array.isArray(inside)) return { found: null, problem: 'unknown_form' };
  const list = inside as readonly Json[];
  if (list.every((entry) => typeof entry === 'string')) return { found: list.map(String) };
  if (list.every((entry) => isObject(entry) && typeof entry.row_id === 'string')) return rowTools(list, rowId);
  const events = list.map(eventOf);
  if (events.includes(null)) return { found: null, problem: 'unknown_form' };
  return { found: trajectoryOf(events.flatMap((event) => event ?? [])).tools };
}

function rowTools(results: readonly Json[], rowId: string | null): Found {
  if (rowId === null && results.length !== 1) return { found: null, problem: 'no_row' };
  const row = results.find((result) => isObject(result) && (rowId === null || result.row_id === rowId));
  if (!isObject(row)) return { found: null, problem: 'unknown_row' };
  return { found: Array.isArray(row.trajectory) ? (row.trajectory as readonly Json[]).map(String) : [] };
}

/** An event in either form of the API: `{type, data}`, or `{kind: {type, …}}`. */
function eventOf(entry: Json): LoggedEvent | null {
  if (!isObject(entry)) return null;
  const { kind } = entry;
  const source = isObject(kind) ? kind : entry;
  const type = isObject(kind) ? kind.type : entry.type;
  if (typeof type !== 'string') return null;
  const data = !isObject(kind) && isObject(entry.data) ? entry.data : source;
  return { type: type.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase(), node_id: null, data };
}
