import type { Json } from '../../../machines/json.ts';
import type { Redactor } from '../../../machines/redaction/redactor.ts';
import type { ToolLogFields } from '../../executors/tool-context/tool-log.ts';

/** As deep as loggers write objects. */
const MAX_DEPTH = 6;
const OMITTED = '[…]';

/** What a tool logs, as it may be written to the log of the process. */
export function redactedEntry(
  redactor: Redactor,
  message: string,
  fields: ToolLogFields,
): { readonly message: string; readonly fields: ToolLogFields } {
  return { message: redactor.text(message), fields: redactedFields(redactor, fields) };
}

function redactedFields(redactor: Redactor, fields: ToolLogFields): ToolLogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      redactor.text(key),
      value instanceof Error ? redactedError(redactor, value, MAX_DEPTH) : redactor.json(plain(value, MAX_DEPTH)),
    ]),
  );
}

/** An error of the same class, so that loggers name it: its message and stack, and whatever else it has. */
function redactedError(redactor: Redactor, error: Error, depth: number): unknown {
  if (depth === 0) return OMITTED;
  const copy: object = Object.create(Object.getPrototypeOf(error));
  for (const key of new Set([...Object.getOwnPropertyNames(error), 'message', 'stack'])) {
    const value: unknown = Reflect.get(error, key);
    const shown = value instanceof Error ? redactedError(redactor, value, depth - 1) : redactor.json(plain(value, depth - 1));
    const enumerable = Object.getOwnPropertyDescriptor(error, key)?.enumerable ?? false;
    Object.defineProperty(copy, key, { value: shown, enumerable, configurable: true, writable: true });
  }
  return copy;
}

/** A value as JSON would have it. Errors are objects; what has no form in JSON is text. */
function plain(value: unknown, depth: number): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return String(value);
  if (depth === 0) return OMITTED;
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), depth - 1);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth - 1));
  const own = Object.entries(value);
  const entries =
    value instanceof Error ? [['name', value.name], ['message', value.message], ['stack', value.stack], ...own] : own;
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner, depth - 1)]));
}
