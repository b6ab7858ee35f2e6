/** RFC 3339, UTC, milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 with any offset, in milliseconds since the epoch; null when it is anything else. A blank counts as the plus that a URL lost. */
export function parseTime(text: string): number | null {
  const time = text.replace(' ', '+');
  const ms = RFC_3339.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
