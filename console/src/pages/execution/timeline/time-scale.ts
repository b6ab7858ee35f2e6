/** The part of the time axis that is shown. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where it is shown, in pixels from the left edge. */
export interface TimeScale extends TimeRange {
  readonly width: number;
}

export const MIN_RANGE_MS = 2;

export function xOf({ fromMs, toMs, width }: TimeScale, atMs: number): number {
  return ((atMs - fromMs) / (toMs - fromMs)) * width;
}

export function msAt({ fromMs, toMs, width }: TimeScale, x: number): number {
  return fromMs + (x / width) * (toMs - fromMs);
}

/** Steps of ticks that read well. */
const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000, 2_592_000_000, 31_536_000_000,
];
const MIN_TICK_WIDTH = 88;

/** Times of ticks, in milliseconds since `startMs`. */
export function ticksOf(scale: TimeScale, startMs: number): { readonly stepMs: number; readonly offsetsMs: readonly number[] } {
  const spanMs = scale.toMs - scale.fromMs;
  const wantedMs = (spanMs * MIN_TICK_WIDTH) / Math.max(1, scale.width);
  const stepMs = STEPS_MS.find((step) => step >= wantedMs) ?? 31_536_000_000;
  const first = Math.ceil((scale.fromMs - startMs) / stepMs) * stepMs;
  const offsetsMs: number[] = [];
  for (let offset = first; startMs + offset <= scale.toMs; offset += stepMs) offsetsMs.push(offset);
  return { stepMs, offsetsMs };
}
