import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export function read_diff({ file }) {
  return readFile(join(import.meta.dirname, basename(file)), 'utf8');
}

export async function write_review({ review }) {
  const { verdict, findings } = review;
  const text = [`# Review: ${verdict.replace('_', ' ')}`, '', ...findings.map((finding) => `- ${finding}`), ''].join('\n');
  await writeFile(join(import.meta.dirname, 'review.md'), text);
  return { file: 'review.md', findings: findings.length };
}
