import { durationOf } from './durations.ts';
import { type NodeReader, recordKindKey } from './node-reader.ts';

/** What is to be decided. */
export function approvalText(reading: NodeReader): void {
  const { section, id, kind } = reading;
  const message = section.text('message', 'prompt') ?? section.text('description');
  kind.description = message?.value ?? `Approval required for ${id}`;
  if (message !== null) recordKindKey(reading, 'description', message.at);
}

/** What a wait waits for, when its author only says how long or for which event. */
export function waitCondition(reading: NodeReader): void {
  const { section, kind } = reading;
  const duration = durationOf(section, 'duration');
  const timeout = kind.timeout_secs;
  const awaitsEvent = kind.correlation_key !== undefined;
  if (duration !== null) {
    if (timeout !== undefined)
      section.error(
        'given_twice',
        `${section.name}: "duration" and "timeout" say the same thing`,
        duration.at,
        'remove one of the two',
      );
    kind.timeout_secs = duration.value;
    recordKindKey(reading, 'timeout_secs', duration.at);
  }
  kind.condition ??= conditionFor(awaitsEvent, duration !== null, timeout !== undefined && kind.on_timeout === undefined);
}

function conditionFor(awaitsEvent: boolean, lasts: boolean, onlyTimesOut: boolean): string {
  if (awaitsEvent) return lasts ? 'either' : 'external_event';
  return lasts || onlyTimesOut ? 'timer' : 'external_event';
}
