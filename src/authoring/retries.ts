import type { Json } from '../../machines/json.ts';
import type { MapReader } from './map-reader.ts';

/** A retry policy for the document: delays in seconds, `fixed` for `constant`. Absent keys stay absent; the runtime has defaults. */
export function retryPolicy(reader: MapReader): Record<string, Json> {
  const policy: Record<string, Json> = {};
  const put = (key: string, value: Json | undefined) => {
    if (value !== undefined) policy[key] = value;
  };
  put('max_attempts', reader.json('max_attempts')?.value);
  const backoff = reader.text('backoff')?.value;
  put('backoff', backoff === 'constant' ? 'fixed' : backoff);
  put(
    'initial_delay',
    delay(
      reader,
      ['initial_delay', 'base_delay', 'delay', 'initial_delay_secs'],
      ['delay_ms', 'initial_delay_ms', 'base_delay_ms'],
    ),
  );
  put('max_delay', delay(reader, ['max_delay', 'max_delay_secs'], ['max_delay_ms']));
  put('jitter', reader.json('jitter')?.value);
  put('retryable_on', errorClasses(reader.json('retryable_on', 'retry_on', 'retryable_errors')?.value));
  reader.warnAboutUnread();
  return policy;
}

function delay(reader: MapReader, inSeconds: readonly string[], inMs: readonly string[]): number | undefined {
  const field = reader.find(...inSeconds, ...inMs);
  if (field === null) return undefined;
  return reader.secondsIn([field.key], inMs.includes(field.key) ? 0.001 : 1, 'zero')?.value;
}

/** Error classes, and HTTP statuses as texts: they are written as numbers (`[timeout, 503]`). */
function errorClasses(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value.map((item: Json) => (typeof item === 'number' ? String(item) : item)) : value;
}
