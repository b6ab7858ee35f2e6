/** Mutated by the test of the driver. */
export function clamp(value: number, low: number, high: number): number {
  if (value < low) return low;
  let result = value;
  while (result > high) result -= 1;
  return result;
}
