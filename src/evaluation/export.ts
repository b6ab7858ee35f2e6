import type { EvalResult } from './run.ts';

export const EXPORT_FORMATS = ['csv', 'json', 'latex'] as const;

/** Results as a table of another program. */
export function exportResults(results: readonly EvalResult[], format: (typeof EXPORT_FORMATS)[number], caption: string): string {
  if (format === 'json') return JSON.stringify(results, null, 2);
  const rows = results.map(({ row_id, passed, overall_score, duration_ms, cost_usd, error }) => [
    row_id,
    passed ? 'yes' : 'no',
    overall_score === null ? '' : overall_score.toFixed(2),
    duration_ms === null ? '' : String(Math.round(duration_ms)),
    cost_usd === null ? '' : String(cost_usd),
    error ?? '',
  ]);
  const titles = ['row_id', 'passed', 'score', 'duration_ms', 'cost_usd', 'error'];
  if (format === 'csv') return [titles, ...rows].map((row) => row.map(csvField).join(',')).join('\n');
  const line = (row: readonly string[]): string => `${row.slice(0, 5).map(latexText).join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    `\\caption{${latexText(caption)}}`,
    '\\begin{tabular}{llrrr}',
    '\\hline',
    line(titles),
    '\\hline',
    ...rows.map(line),
    '\\hline',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n');
}

/** A text that a spreadsheet would take for a formula gets an apostrophe. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.e+-]+$/i.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};

function latexText(text: string): string {
  return text.replace(/[\\~^&%$#_{}]/g, (character) => LATEX[character] ?? `\\${character}`);
}
