/** What fits into the largest request body, beside what is around it. */
const MAX_CHARS = 2 * 1024 * 1024 - 4_096;

const filled = (part: string): string => part.repeat(Math.floor(MAX_CHARS / part.length));
const list = (count: number, itemOf: (n: number) => string): string =>
  `[${Array.from({ length: count }, (_, n) => itemOf(n)).join()}]`;
const object = (from: number, keys: number): string =>
  `{${Array.from({ length: keys }, (_, n) => `"k${(from + n).toString(36)}":1`).join()}}`;

/** JSON texts of two mebibytes, or with as many parts as a body may have: each costs most in one way. */
export const LARGE_VALUES: Readonly<Record<string, () => string>> = {
  'personal data': () => `"${filled('a1 4111 1111 1111 1111 jo@x.io +1 555 0100 10.0.0.1 ')}"`,
  'a text of escapes': () => `"${filled('\\n')}"`,
  digits: () => `[${filled('1,')}1]`,
  fractions: () => `[${filled('0.1234567890123,')}1]`,
  'short texts with an escape': () => `[${filled('"\\n",')}1]`,
  'different short texts': () => list(270_000, (n) => `"${n.toString(36)}"`),
  'nested lists': () => list(490, () => `${'['.repeat(200)}${']'.repeat(200)}`),
  'pairs of numbers': () => list(95_000, () => '[1.5,22.25]'),
  'large objects': () => list(19, (n) => object(n * 9_000, 9_000)),
  'objects with different keys': () => list(2_000, (n) => object(n * 100, 100)),
};
