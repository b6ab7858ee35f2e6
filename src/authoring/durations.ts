import type { Located, MapReader } from './map-reader.ts';

/** A number without a unit counts in the unit of its key (`timeout_hours`); a unit in the value (`90m`) takes precedence. */
const UNITS = { '': 1, _secs: 1, _seconds: 1, _minutes: 60, _hours: 3_600, _days: 86_400 } as const;

/** Seconds from `<name>`, `<name>_secs`, `<name>_hours` …. */
export function readDuration(reader: MapReader, name: string): Located<number> | null {
  const keys = Object.entries(UNITS).map(([suffix, seconds]) => ({ key: `${name}${suffix}`, seconds }));
  const field = reader.find(...keys.map(({ key }) => key));
  const unit = keys.find(({ key }) => key === field?.key);
  return unit === undefined ? null : reader.secondsIn([unit.key], unit.seconds);
}
