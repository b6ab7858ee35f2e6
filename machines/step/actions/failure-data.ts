import type { JsonObject } from '../../json.ts';
import type { FailEvent } from '../machine-event.ts';
import { usageEventData } from './usage.ts';

/** Data of a failure besides its text. What a child execution used is in its own event. */
export function failureData({ errorClass, httpStatus, childId, usage }: FailEvent): JsonObject {
  return {
    ...(errorClass === undefined ? {} : { error_class: errorClass }),
    ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
    ...(childId === undefined ? usageEventData(usage) : {}),
  };
}

/** Data of the `node_failed` of a last attempt. */
export function failedData(event: FailEvent, attempt: number, activation: number): Record<string, JsonObject[string]> {
  return { error: event.error, attempt, retryable: false, ...failureData(event), activation };
}
