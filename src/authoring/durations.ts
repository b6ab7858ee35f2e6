import type { Located, MapReader } from './map-reader.ts';

/** A bare number in `timeout_hours` counts hours; a unit in the value (`90m`) wins over the key's. */
const UNITS = { '': 1, _secs: 1, _seconds: 1, _minutes: 60, _hours: 3_600, _days: 86_400 } as const;

/** Seconds from `timeout`, `timeout_secs`, `timeout_hours` … or whatever the duration is called. */
export function durationOf(section: MapReader, name: string): Located<number> | null {
  const keys = Object.entries(UNITS).map(([suffix, seconds]) => ({ key: `${name}${suffix}`, seconds }));
  const field = section.find(...keys.map(({ key }) => key));
  const unit = keys.find(({ key }) => key === field?.key);
  return unit === undefined ? null : section.secondsIn([unit.key], unit.seconds);
}
