import { failureReasons, type Report } from './report.ts';

/**
 * The reports as JUnit XML for CI systems: a suite per file, with a case per test, one for the findings and, if it is insufficient, one for
 * the coverage.
 */
export function junitXml(reports: readonly Report[]): string {
  const suites = reports.map(suiteOf);
  const total = (key: 'tests' | 'failures' | 'seconds'): number => suites.reduce((sum, suite) => sum + suite[key], 0);
  const attributes = `tests="${total('tests')}" failures="${total('failures')}" time="${seconds(total('seconds'))}"`;
  const body = suites.map(({ xml }) => xml).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="jamjet test" ${attributes}>\n${body}\n</testsuites>`;
}

interface Suite {
  readonly xml: string;
  readonly tests: number;
  readonly failures: number;
  readonly seconds: number;
}

interface Case {
  readonly name: string;
  readonly seconds: number;
  /** Empty = passed. */
  readonly reasons: readonly string[];
}

function suiteOf({ file, title, examination, problems, coverageShortfall }: Report): Suite {
  const cases: Case[] = examination.tests.map((result) => {
    return { name: result.test.name, seconds: result.durationMs / 1_000, reasons: result.passed ? [] : failureReasons(result) };
  });
  cases.push({ name: 'the workflow', seconds: 0, reasons: problems });
  if (coverageShortfall !== null) cases.push({ name: 'coverage', seconds: 0, reasons: [coverageShortfall] });
  const failures = cases.filter((one) => one.reasons.length > 0).length;
  const time = cases.reduce((sum, one) => sum + one.seconds, 0);
  const attributes = `name="${escaped(title)}" tests="${cases.length}" failures="${failures}" time="${seconds(time)}"`;
  const xml = `  <testsuite ${attributes}>\n${cases.map((one) => caseXml(file, title, one)).join('\n')}\n  </testsuite>`;
  return { xml, tests: cases.length, failures, seconds: time };
}

function caseXml(file: string, title: string, { name, seconds: time, reasons }: Case): string {
  const attributes = `classname="${escaped(title)}" name="${escaped(name)}" file="${escaped(file)}" time="${seconds(time)}"`;
  const [first] = reasons;
  if (first === undefined) return `    <testcase ${attributes}/>`;
  const failure = `      <failure message="${escaped(first)}">${escaped(reasons.join('\n'))}</failure>`;
  return `    <testcase ${attributes}>\n${failure}\n    </testcase>`;
}

function seconds(value: number): string {
  return value.toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Characters that XML cannot represent become U+FFFD. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: replaces control characters
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
      .replace(/\n/g, '&#10;')
  );
}
