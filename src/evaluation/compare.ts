import { type EvalResult, passRate } from './run.ts';

/** Two runs of a data set, side by side. */
export interface Comparison {
  /** Rows that both have. */
  readonly rows: number;
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Rows that passed before and do not any more, and the other way round. */
  readonly regressions: readonly string[];
  readonly improvements: readonly string[];
  /**
   * Probability that passes and failures differ at least so much by chance (McNemar's exact test on the rows that both have): a small one says that the
   * difference is real.
   */
  readonly p: number;
  readonly before: Summary;
  readonly after: Summary;
}

export interface Summary {
  readonly passed: number;
  /** Percent. */
  readonly passRate: number;
  /** Means over the rows where they are known; null = nowhere. */
  readonly score: number | null;
  readonly durationMs: number | null;
  readonly costUsd: number | null;
}

/** Compares the rows that both runs have, by their ids. */
export function compareResults(before: readonly EvalResult[], after: readonly EvalResult[]): Comparison {
  const afterById = new Map(after.map((result) => [result.row_id, result]));
  const beforeIds = new Set(before.map(({ row_id }) => row_id));
  const pairs = before.flatMap((result) => {
    const other = afterById.get(result.row_id);
    return other === undefined ? [] : [[result, other] as const];
  });
  const regressions = pairs.flatMap(([was, is]) => (was.passed && !is.passed ? [was.row_id] : []));
  const improvements = pairs.flatMap(([was, is]) => (!was.passed && is.passed ? [was.row_id] : []));
  return {
    rows: pairs.length,
    onlyBefore: before.flatMap(({ row_id }) => (afterById.has(row_id) ? [] : [row_id])),
    onlyAfter: after.flatMap(({ row_id }) => (beforeIds.has(row_id) ? [] : [row_id])),
    regressions,
    improvements,
    p: exactTest(regressions.length, improvements.length),
    before: summaryOf(pairs.map(([was]) => was)),
    after: summaryOf(pairs.map(([, is]) => is)),
  };
}

function summaryOf(results: readonly EvalResult[]): Summary {
  return {
    passed: results.filter(({ passed }) => passed).length,
    passRate: passRate(results),
    score: mean(results.map(({ overall_score }) => overall_score)),
    durationMs: mean(results.map(({ duration_ms }) => duration_ms)),
    costUsd: mean(results.map(({ cost_usd }) => cost_usd)),
  };
}

function mean(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Two-sided binomial test that `a` and `b` changes are equally likely. */
export function exactTest(a: number, b: number): number {
  const changes = a + b;
  let term = 0.5 ** changes;
  if (term === 0) return normalTest(a, b);
  let tail = 0;
  for (let k = 0; k <= Math.min(a, b); k += 1) {
    tail += term;
    term *= (changes - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}

/** The same for more than 1,074 changes, where the first term is too small for a number: by the normal distribution. */
function normalTest(a: number, b: number): number {
  const z = (Math.abs(a - b) - 1) / Math.sqrt(a + b);
  // Abramowitz and Stegun 7.1.26, exact to 1.5e-7.
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.min(1, polynomial * Math.exp(-x * x));
}
