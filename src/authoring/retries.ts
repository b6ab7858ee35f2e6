import type { Json } from '../../machines/json.ts';
import type { MapReader } from './map-reader.ts';

/**
 * A retry policy in the document's words: seconds for delays, `fixed` for `constant`. What is not given is left out;
 * the runtime has its defaults.
 */
export function retryPolicy(section: MapReader): Record<string, Json> {
  const policy: Record<string, Json> = {};
  const put = (key: string, value: Json | undefined) => {
    if (value !== undefined) policy[key] = value;
  };
  put('max_attempts', section.json('max_attempts')?.value);
  const backoff = section.text('backoff')?.value;
  put('backoff', backoff === 'constant' ? 'fixed' : backoff);
  put(
    'initial_delay',
    delay(
      section,
      ['initial_delay', 'base_delay', 'delay', 'initial_delay_secs'],
      ['delay_ms', 'initial_delay_ms', 'base_delay_ms'],
    ),
  );
  put('max_delay', delay(section, ['max_delay', 'max_delay_secs'], ['max_delay_ms']));
  put('jitter', section.json('jitter')?.value);
  put('retryable_on', errorClasses(section.json('retryable_on', 'retry_on', 'retryable_errors')?.value));
  section.warnOfUnread();
  return policy;
}

function delay(section: MapReader, inSeconds: readonly string[], inMs: readonly string[]): number | undefined {
  const field = section.find(...inSeconds, ...inMs);
  if (field === null) return undefined;
  return section.secondsIn([field.key], inMs.includes(field.key) ? 0.001 : 1, 'zero')?.value;
}

/** HTTP statuses are written as numbers (`[timeout, 503]`); error classes are texts. */
function errorClasses(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value.map((item: Json) => (typeof item === 'number' ? String(item) : item)) : value;
}
