import type { Event } from '../../../../../src/api/schemas/events.ts';

/** Fields that say most about an event, in this order. */
const TELLING = [
  'error',
  'reason',
  'description',
  'comment',
  'correlation_key',
  'tool_name',
  'child_execution_id',
  'text',
  'output',
];
const MAX_CHARS = 400;

/** The part of an event's data that tells most, as one line of text; '' = its type says all. */
export function eventSummary({ data }: Event): string {
  const fields = data as Readonly<Record<string, unknown>>;
  if (typeof fields.decision === 'string')
    return [fields.decision, fields.comment].filter((each) => typeof each === 'string').join(': ');
  for (const field of TELLING) {
    const value = fields[field];
    if (value === undefined || value === null || value === '') continue;
    return brief(value);
  }
  if (typeof fields.attempt === 'number' && fields.attempt > 0) return `attempt ${fields.attempt + 1}`;
  return '';
}

/** A large value is not written out as a whole for one line. */
function brief(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, MAX_CHARS);
  if (value === null || typeof value !== 'object') return String(value);
  const entries = Object.entries(value).slice(0, 6);
  const shown = entries.map(([key, each]) => {
    const text =
      typeof each === 'string'
        ? JSON.stringify(each.slice(0, 80))
        : each !== null && typeof each === 'object'
          ? '…'
          : String(each);
    return Array.isArray(value) ? text : `${key.slice(0, 40)}: ${text}`;
  });
  return shown.join(', ').slice(0, MAX_CHARS);
}
