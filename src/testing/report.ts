import type { Json } from '../../machines/json.ts';
import type { FileExamination, TestResult } from './examine.ts';

/** Optional criteria that fail a file, besides failed tests, errors and findings of severity error. */
export interface PassCriteria {
  /** Warnings fail the file. */
  readonly strict: boolean;
  /** Minimum coverage of branches in percent; null = none. */
  readonly coverage: number | null;
}

/** The verdict on a workflow of a file. */
export interface Report {
  readonly file: string;
  /** The file, with the workflow when the file has several. */
  readonly title: string;
  readonly examination: FileExamination;
  readonly passed: boolean;
  /** Failing findings and diagnostics, as lines with position, message and code. */
  readonly problems: readonly string[];
  /** Null = the coverage is sufficient or not required. */
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
      : `the tests cover ${percent}% of the branches, ${coverage}% are required`;
  const passed =
    examined.workflow !== null &&
    objections.length === 0 &&
    coverageShortfall === null &&
    examined.tests.every((result) => result.passed);
  const title = examined.unit === null ? file : `${file} ${examined.unit}`;
  return { file, title, examination: examined, passed, problems: objections, coverageShortfall };
}

/** The output of `--format json`. */
export function jsonReport({ file, examination, passed }: Report): unknown {
  const { unit, diagnostics, tests, findings, coverage, exploration } = examination;
  return {
    file,
    ...(unit === null ? {} : { workflow: unit }),
    passed,
    tests: tests.map(jsonTest),
    findings,
    coverage,
    exploration,
    diagnostics,
  };
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

/** The reasons of a failed test, one per line. */
export function failureReasons({ test, mismatches, played }: TestResult): readonly string[] {
  return [
    ...test.problems,
    ...(played.cutShort ? ['the run did not end within 2,000 steps: does a loop always get the same replies?'] : []),
    ...mismatches.map(({ what, expected, actual }) => {
      const got = actual === undefined ? 'nothing' : JSON.stringify(actual);
      return `${what}: expected ${JSON.stringify(expected)}, got ${got}`;
    }),
  ];
}
