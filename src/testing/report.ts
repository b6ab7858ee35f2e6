import type { Json } from '../../machines/json.ts';
import type { FileExamination, TestResult } from './examine.ts';

/** What makes a file fail besides its tests, its errors and errors found by exploring it. */
export interface PassCriteria {
  /** Warnings count as errors. */
  readonly strict: boolean;
  /** Of ways, in percent; null = not asked for. */
  readonly coverage: number | null;
}

/** One file, with what speaks against it. */
export interface Report {
  readonly file: string;
  readonly examination: FileExamination;
  readonly passed: boolean;
  /** Lines with place, message and code, of what exploring it has shown and `validate` says. */
  readonly problems: readonly string[];
  /** Null = enough, or not asked for. */
  readonly coverageShortfall: string | null;
}

export function reportOf(file: string, examined: FileExamination, { strict, coverage }: PassCriteria): Report {
  const bad = ({ severity }: { readonly severity: string }): boolean =>
    severity === 'error' || (strict && severity === 'warning');
  const objections = [...examined.diagnostics, ...examined.findings]
    .filter(bad)
    .map(({ line, column, message, code }) => `${file}:${line}:${column} ${message} [${code}]`);
  const percent = examined.coverage?.percent ?? 0;
  const coverageShortfall =
    coverage === null || examined.workflow === null || percent >= coverage
      ? null
      : `the tests cover ${percent}% of the ways, not ${coverage}%`;
  const passed =
    examined.workflow !== null &&
    objections.length === 0 &&
    coverageShortfall === null &&
    examined.tests.every((result) => result.passed);
  return { file, examination: examined, passed, problems: objections, coverageShortfall };
}

/** As `--format json` prints it. */
export function jsonReport({ file, examination, passed }: Report): unknown {
  const { diagnostics, tests, findings, coverage, exploration } = examination;
  return { file, passed, tests: tests.map(jsonTest), findings, coverage, exploration, diagnostics };
}

function jsonTest({ test, passed, mismatches, played, durationMs }: TestResult): Record<string, Json> {
  const { status, state, error, visited, timeline, cutShort } = played;
  return {
    name: test.name,
    line: test.line,
    column: test.column,
    passed,
    problems: test.problems,
    mismatches: mismatches.map((mismatch) => ({ ...mismatch })),
    status,
    error,
    visited,
    state,
    timeline: timeline.map(({ node, what, value, atMs }) => ({ node, what, value, at_ms: atMs })),
    cut_short: cutShort,
    duration_ms: durationMs,
  };
}

/** Why a test failed, a line each. */
export function failureReasons({ test, mismatches, played }: TestResult): readonly string[] {
  return [
    ...test.problems,
    ...(played.cutShort ? ['the run was still going on after 2,000 steps: does a loop get the same answers for ever?'] : []),
    ...mismatches.map(({ what, expected, actual }) => {
      const got = actual === undefined ? 'nothing' : JSON.stringify(actual);
      return `${what}: expected ${JSON.stringify(expected)}, got ${got}`;
    }),
  ];
}
