/** Names longer than this are not typed by hand, so nobody mistypes them. */
const MAX_LENGTH = 64;

/** The candidate that `name` was probably meant to be: at most a third of its letters differ, and at most two. */
export function closest(name: string, candidates: Iterable<string>): string | null {
  if (name.length > MAX_LENGTH) return null;
  let best: string | null = null;
  let limit = Math.min(2, Math.ceil(name.length / 3));
  const wanted = name.toLowerCase();
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance > limit) continue;
    best = candidate;
    if (distance <= 1) return best;
    limit = distance - 1;
  }
  return best;
}

/** `did you mean "b1"?`, or null when nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | null {
  const found = closest(name, candidates);
  return found === null ? null : `did you mean "${found}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment); gives up beyond `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = [i];
    // Further from the diagonal than the limit, everything costs too much.
    for (let j = 1; j < i - limit; j++) row.push(limit + 1);
    let least = limit + 1;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const cost = cheapest(a, b, i, j, beforeLast, last, row);
      row[j] = cost;
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

function cheapest(a: string, b: string, i: number, j: number, beforeLast: number[], last: number[], row: number[]): number {
  const far = Number.MAX_SAFE_INTEGER;
  const replaced = (last[j - 1] ?? far) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const cost = Math.min(replaced, (last[j] ?? far) + 1, (row[j - 1] ?? far) + 1);
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(cost, (beforeLast[j - 2] ?? far) + 1) : cost;
}
