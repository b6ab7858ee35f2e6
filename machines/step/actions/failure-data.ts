import type { Json, JsonObject } from '../../json.ts';
import type { FailEvent } from '../machine-event.ts';
import { usageEventData } from './usage.ts';

/** What a failure may say of its error for readers. */
export const DETAIL_FIELDS = ['error_name', 'stack', 'cause', 'errors'] as const;

/** Data of a failure besides its text. What a child execution used is in its own event. */
export function failureData({ errorClass, httpStatus, details, childId, usage }: FailEvent): JsonObject {
  const data: Record<string, Json> = {};
  if (errorClass !== undefined) data.error_class = errorClass;
  if (httpStatus !== undefined) data.http_status = httpStatus;
  return Object.assign(data, details, childId === undefined ? usageEventData(usage) : null);
}

/** The details in the data of a failure; absent if there are none. */
export function detailsIn(data: JsonObject): { readonly details?: JsonObject } {
  let details: Record<string, Json> | null = null;
  for (const field of DETAIL_FIELDS) {
    const value = data[field];
    if (value === undefined) continue;
    details ??= {};
    details[field] = value;
  }
  return details === null ? {} : { details };
}

/** Data of the `node_failed` of a last attempt. */
export function failedData(event: FailEvent, attempt: number, activation: number): Record<string, JsonObject[string]> {
  return { error: event.error, attempt, retryable: false, ...failureData(event), activation };
}
